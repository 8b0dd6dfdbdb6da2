import { readFileSync, writeFileSync } from 'node:fs'
import { eventCatalogue } from '../src/cli/event-catalogue.ts'
import { forReading } from '../src/shop.ts'

/** `npm run event-catalogue` makes what follows the mark in docs/events.md. */

const page = new URL('../docs/events.md', import.meta.url)
const mark = '<!-- Made by `npm run event-catalogue`: do not edit what follows. -->\n\n'
const [introduction = ''] = readFileSync(page, 'utf8').split(mark)
writeFileSync(page, `${introduction}${mark}${eventCatalogue(forReading([]))}`)
