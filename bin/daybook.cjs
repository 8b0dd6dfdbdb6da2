#!/usr/bin/env node
'use strict'

// Written so that every Node.js can parse it: an old one runs the newer one that came with the packages, or says what to install.

var neededMajor = 26
var major = Number(process.versions.node.split('.')[0])

function newerNode() {
  var platform = process.platform === 'win32' ? 'win' : process.platform
  var binary = process.platform === 'win32' ? 'node.exe' : 'node'
  try {
    return require.resolve('node-' + platform + '-' + process.arch + '/bin/' + binary)
  } catch (_error) {
    return undefined
  }
}

// Tells the newer one that its parent is this file, until it has read it.
var wrappedSetting = 'DAYBOOK_OF_OLDER_NODE'
// biome-ignore lint/style/noProcessEnv: it goes from one process to the other, and is no setting of a shop.
var environment = process.env

function runWith(node) {
  environment[wrappedSetting] = '1'
  var child = require('child_process').spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc']
  })
  // Passed on as another signal than the one that a terminal or a supervisor may have sent to both: the same again would end it at once.
  var passedOn = { SIGINT: 'SIGTERM', SIGTERM: 'SIGINT', SIGHUP: 'SIGTERM' }
  Object.keys(passedOn).forEach(function (signal) {
    process.on(signal, function () {
      // On Windows the console tells both, and whatever is sent from here kills.
      if (process.platform !== 'win32') child.kill(passedOn[signal])
    })
  })
  child.on('error', function (error) {
    console.error('daybook: ' + node + " can't be run: " + error.message)
    process.exit(1)
  })
  child.on('exit', function (code, signal) {
    process.exit(signal ? 1 : code)
  })
}

function endWithParent() {
  delete environment[wrappedSetting]
  process.on('disconnect', function () {
    if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(1)
  })
  process.channel.unref()
}

if (major >= neededMajor) {
  if (environment[wrappedSetting] && process.channel) endWithParent()
  require('module').enableCompileCache()
  require('../dist/cli.js')
} else {
  var node = newerNode()
  if (node) runWith(node)
  else {
    console.error(
      'daybook: This is Node.js ' +
        process.versions.node +
        ', and Daybook needs Node.js ' +
        neededMajor +
        ' or later. Install it from https://nodejs.org, and run this again.'
    )
    process.exit(1)
  }
}
