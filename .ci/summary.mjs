// node .ci/summary.mjs <Vitest's JSON report> <its exit status>
// Names what was skipped and what failed, and ends with a line of counts.
import { readFileSync } from 'node:fs'

const [reportFile, exitStatus] = process.argv.slice(2)

let report = { testResults: [] }
try {
  report = JSON.parse(readFileSync(reportFile, 'utf8'))
} catch (error) {
  console.log(`No report of the tests: ${error.message}`)
}

const tests = report.testResults.flatMap((file) => file.assertionResults)
const having = (...statuses) => tests.filter((test) => statuses.includes(test.status)).map((test) => test.fullName)

const passed = having('passed')
const skipped = having('skipped', 'pending', 'todo', 'disabled')
const failed = having('failed')
// A file that could not be loaded has failed, although it names no test.
for (const file of report.testResults) {
  if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
    failed.push(file.name)
}
// Nor is a run without failures that ended early, or met an error outside of its tests.
if (exitStatus !== '0' && failed.length === 0) failed.push('the run as a whole')

for (const name of skipped) console.log(`skipped: ${name}`)
for (const name of failed) console.log(`failed: ${name}`)
const counts = [`${passed.length} passed`, `${failed.length} failed`]
if (skipped.length > 0) counts.push(`${skipped.length} skipped`)
console.log(counts.join(', '))
process.exitCode = failed.length > 0 || passed.length === 0 ? 1 : 0
