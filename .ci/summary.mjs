// node .ci/summary.mjs (<Vitest's JSON report> <its exit status>)...
// Names what was skipped and what failed, and ends with a line of counts.
import { readFileSync } from 'node:fs'

const passed = []
const skipped = []
const failed = []

function count(reportFile, exitStatus) {
  let report = { testResults: [] }
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8'))
  } catch (error) {
    console.log(`No report of the tests: ${error.message}`)
  }
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const having = (...statuses) => tests.filter((test) => statuses.includes(test.status)).map((test) => test.fullName)
  passed.push(...having('passed'))
  skipped.push(...having('skipped', 'pending', 'todo', 'disabled'))
  const failures = having('failed')
  // A file that could not be loaded has failed, although it names no test.
  for (const file of report.testResults) {
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
      failures.push(file.name)
  }
  // Nor is a run without failures that ended early, or met an error outside of its tests.
  if (exitStatus !== '0' && failures.length === 0) failures.push('the run as a whole')
  failed.push(...failures)
}

for (let given = process.argv.slice(2); given.length > 0; given = given.slice(2)) count(given[0], given[1])

for (const name of skipped) console.log(`skipped: ${name}`)
for (const name of failed) console.log(`failed: ${name}`)
const counts = [`${passed.length} passed`, `${failed.length} failed`]
if (skipped.length > 0) counts.push(`${skipped.length} skipped`)
console.log(counts.join(', '))
process.exitCode = failed.length > 0 || passed.length === 0 ? 1 : 0
