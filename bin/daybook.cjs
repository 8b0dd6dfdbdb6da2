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

function runWith(node) {
  var child = require('child_process').spawn(node, [__filename].concat(process.argv.slice(2)), { stdio: 'inherit' })
  // A terminal sends its own interrupt to both: passed on, the second one would end it at once.
  process.on('SIGINT', function () {})
  ;['SIGTERM', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal)
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

if (major >= neededMajor) {
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
