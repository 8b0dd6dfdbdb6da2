import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { site } from './site/site.ts'

/** `npm run docs` makes the site of the documentation, `npm run docs:serve` shows it while it is written. */

const { values } = parseArgs({
  options: {
    input: { type: 'string', default: 'docs' },
    output: { type: 'string', default: 'docs/dist' },
    port: { type: 'string' },
  },
})
rmSync(values.output, { recursive: true, force: true })
const documentation = site(values.input, values.output)
if (values.port === undefined) await documentation.write()
else {
  await documentation.init()
  await documentation.watch()
  await documentation.serve(Number(values.port))
}
