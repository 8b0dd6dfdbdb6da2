import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { UnavailableError } from '../engine/errors.ts'

/** Passwords are kept as argon2id hashes (RFC 9106), written as PHC strings. */

/** Least that OWASP's cheat sheet on the storage of passwords asks for, as of 2025. */
const present = { memory: 19_456, passes: 2, parallelism: 1 } as const
/** NIST SP 800-63B asks for at least so many characters. */
export const shortestPassword = 8
const saltBytes = 16
const hashBytes = 32
/** Each takes 19 MiB and tens of milliseconds of a core. */
const atOnce = 2
const defaultMaxWaiting = 100

interface Parsed {
  readonly cost: Pick<Argon2Parameters, 'memory' | 'passes' | 'parallelism'>
  readonly salt: Buffer
  readonly hash: Buffer
}

export interface Passwords {
  /** @returns a PHC string. @throws UnavailableError when too many passwords wait */
  hash(password: string): Promise<string>
  /**
   * Compares a password with what is kept. Where nothing is kept it does the same work, so that the time tells nothing.
   * @param kept a PHC string
   * @returns `outdated` for one that is right, and should be hashed anew
   * @throws UnavailableError when too many passwords wait
   */
  verify(password: string, kept: string | undefined): Promise<'right' | 'outdated' | 'wrong'>
}

const hashed = promisify(argon2)
const pattern = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

function parse(kept: string): Parsed {
  const [, memory, passes, parallelism, salt, hash] = pattern.exec(kept) ?? []
  if (salt === undefined || hash === undefined) throw new Error('What is kept is no argon2id hash')
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

function isPresent({ memory, passes, parallelism }: Parsed['cost']): boolean {
  return memory === present.memory && passes === present.passes && parallelism === present.parallelism
}

/**
 * Hashes passwords, few at a time.
 * @param maxWaiting most that wait for their turn
 */
export function passwords(maxWaiting = defaultMaxWaiting): Passwords {
  const waiting: (() => void)[] = []
  let running = 0
  /** Nobody's password; of the present cost. */
  const nobodys: Parsed = { cost: present, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) }

  async function derive(password: string, { cost, salt, hash }: Parsed): Promise<Buffer> {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting)
        throw new UnavailableError('log-in-busy', 'Too many people log in at this moment. Try again.', 2)
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running++
    try {
      const message = Buffer.from(password.normalize('NFKC'))
      return await hashed('argon2id', { ...cost, message, nonce: salt, tagLength: hash.length })
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  return {
    async hash(password) {
      const salt = randomBytes(saltBytes)
      const hash = await derive(password, { cost: present, salt, hash: Buffer.alloc(hashBytes) })
      const { memory, passes, parallelism } = present
      return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encoded(salt)}$${encoded(hash)}`
    },

    async verify(password, kept) {
      const parsed = kept === undefined ? nobodys : parse(kept)
      const isRight = timingSafeEqual(await derive(password, parsed), parsed.hash)
      if (!isRight || kept === undefined) return 'wrong'
      return isPresent(parsed.cost) ? 'right' : 'outdated'
    },
  }
}
