import { writeFileSync } from 'node:fs'
import { madeSchema } from './made-schema.ts'

/** `npm run client` */
writeFileSync(new URL('../../src/client/schema.ts', import.meta.url), await madeSchema())
