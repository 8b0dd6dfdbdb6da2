import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Of Daybook. The package's own file says it, which lies beside the folder of the sources and of what is compiled from them. */
export const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')))
