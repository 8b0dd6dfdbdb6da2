import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { orderNumber } from '../src/domain/order/number.ts'
import type { NewEvent, RecordedEvent } from '../src/engine/event-store.ts'
import { type PersonalData, personal } from '../src/engine/personal-data.ts'
import { derivedId, idOf } from '../src/engine/streams.ts'

/**
 * Copies of what happened, as if it had happened to others at another time: every id is another one, the same wherever
 * it stands; times are moved; personal data is sealed anew with the other person's key.
 */

/** Events that went into the log in one append. */
export interface CopiedAppend {
  readonly stream: string
  readonly events: readonly NewEvent[]
}

export interface Original {
  /** What happened together, part by part; between the parts days can lie. */
  readonly parts: readonly (readonly Step[])[]
  readonly events: number
  /** Texts that differ from copy to copy, in the order in which they come by, each with its part. */
  readonly variables: readonly Variable[]
  /** When each part began, milliseconds since the epoch. */
  readonly beganMs: readonly number[]
  /** Ids of the cart that it began with, and of the order that takes its id from the cart. */
  readonly cart: string
  readonly order: string
  /** Whose personal data is in it. */
  readonly person: string
  /** Whether that is a registered customer. */
  readonly isMember: boolean
  /** Personal values in the clear, by how they were sealed. */
  readonly clear: ReadonlyMap<string, unknown>
}

interface Variable {
  readonly kind: 'id' | 'number' | 'time' | 'sealed'
  readonly text: string
  readonly part: number
}

/** A text in which the variables stand between the pieces: one piece more than places. */
interface Pattern {
  readonly pieces: readonly string[]
  /** Numbers of the variables. */
  readonly places: readonly number[]
}

interface Step {
  readonly stream: Pattern
  readonly events: readonly {
    readonly id: Pattern
    readonly type: string
    readonly data: Pattern
    readonly metadata: Pattern
  }[]
}

/** Ids of people and things: members have numbers, everything else a UUID. */
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const variable = new RegExp(
  `(?<sealed>sealed1\\.[\\w-]+\\.[\\w-]+)|(?<time>\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z)|(?<number>D-[0-9A-Z]{4}-[0-9A-Z]{4})|(?<id>${uuid}|customer-\\d+)`,
  'g',
)
const anything = personal(z.unknown())

/**
 * Learns what can be copied.
 * @param parts the events of one purchase, in log order
 * @throws Error where the personal data of several people is in it, or of nobody
 */
export async function originalOf(
  parts: readonly (readonly RecordedEvent[])[],
  open: PersonalData['open'],
): Promise<Original> {
  const numbers = new Map<string, number>()
  const variables: Variable[] = []

  function patternOf(text: string, part: number): Pattern {
    const pieces: string[] = []
    const places: number[] = []
    let end = 0
    for (const match of text.matchAll(variable)) {
      const [found] = match
      const kind =
        (['sealed', 'time', 'number', 'id'] as const).find((name) => match.groups?.[name] !== undefined) ?? 'id'
      const number = numbers.get(found) ?? variables.push({ kind, text: found, part }) - 1
      numbers.set(found, number)
      pieces.push(text.slice(end, match.index))
      places.push(number)
      end = match.index + found.length
    }
    return { pieces: [...pieces, text.slice(end)], places }
  }

  const patterns = parts.map((events, part) => {
    const steps: { command: string; stream: string; step: { stream: Pattern; events: Step['events'][number][] } }[] = []
    for (const { stream, id, type, data, metadata } of events) {
      const last = steps.at(-1)
      const event = {
        id: patternOf(id, part),
        type,
        data: patternOf(JSON.stringify(data), part),
        metadata: patternOf(JSON.stringify(metadata), part),
      }
      if (last?.command === metadata.commandId && last.stream === stream) last.step.events.push(event)
      else
        steps.push({ command: metadata.commandId, stream, step: { stream: patternOf(stream, part), events: [event] } })
    }
    return steps.map(({ step }) => step)
  })

  const sealed = variables.flatMap(({ kind, text }) => (kind === 'sealed' ? [text] : []))
  const people = new Set(sealed.map((text) => text.split('.').at(-1) ?? ''))
  const [person, ...others] = people
  if (person === undefined || others.length > 0) throw new Error(`A purchase has data of ${people.size} people`)
  const opened = await open(anything, sealed)
  const cart = idOf(parts[0]?.[0]?.stream ?? '')
  return {
    cart,
    order: derivedId('order', cart),
    parts: patterns,
    events: parts.flat().length,
    variables,
    beganMs: parts.map(([first]) => Date.parse(first?.metadata.recordedAt ?? '')),
    person,
    isMember: parts[0]?.[0]?.metadata.actor.kind === 'customer',
    clear: new Map(sealed.map((text, place) => [text, opened[place]])),
  }
}

export interface CopyOptions {
  /** Whose it is. */
  readonly person: string
  readonly seal: PersonalData['seal']
}

/** A copy whose ids are chosen; its parts are written when their time has come. */
export interface Copy {
  readonly parts: number
  /** @param beginsMs when this part of it happens, milliseconds since the epoch */
  part(number: number, beginsMs: number): readonly CopiedAppend[]
}

/** Makes another one of a kind. */
export async function copyOf(original: Original, { person, seal }: CopyOptions): Promise<Copy> {
  const { variables, parts } = original
  const cart = randomUUID()
  const order = derivedId('order', cart)
  const known = new Map([
    [original.person, person],
    [original.cart, cart],
    [original.order, order],
  ])
  const texts = await Promise.all(
    variables.map(async ({ kind, text }) => {
      if (kind === 'sealed') return String(await seal(anything, original.clear.get(text), () => person))
      if (kind === 'number') return orderNumber(order)
      return kind === 'id' ? (known.get(text) ?? randomUUID()) : text
    }),
  )

  function textOf({ pieces, places }: Pattern): string {
    let text = pieces[0] ?? ''
    for (const [index, place] of places.entries()) text += (texts[place] ?? '') + (pieces[index + 1] ?? '')
    return text
  }

  return {
    parts: parts.length,
    part(number, beginsMs) {
      const movedMs = beginsMs - (original.beganMs[number] ?? 0)
      for (const [place, { kind, text, part }] of variables.entries()) {
        if (kind === 'time' && part === number) texts[place] = new Date(Date.parse(text) + movedMs).toISOString()
      }
      return (parts[number] ?? []).map(({ stream, events }) => ({
        stream: textOf(stream),
        events: events.map(({ id, type, data, metadata }) => {
          const [dataJson, metadataJson] = [textOf(data), textOf(metadata)]
          return {
            id: textOf(id),
            type,
            data: JSON.parse(dataJson),
            metadata: JSON.parse(metadataJson),
            dataJson,
            metadataJson,
          }
        }),
      }))
    },
  }
}
