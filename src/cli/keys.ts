import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { scopes } from '../domain/api-key.ts'
import { type Connection, succeed } from './connection.ts'
import { printTable } from './output.ts'

/**
 * Makes an API key. Its secret is shown this once: the shop keeps only a hash.
 * @param title what it is for
 * @param chosen what it may do; everything but imports, if empty
 */
export async function createKey(connection: Connection, title: string, chosen: readonly string[]): Promise<string> {
  const id = randomBytes(6).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const secretHash = createHash('sha256').update(secret).digest('hex')
  const granted = chosen.length > 0 ? chosen : scopes.filter((scope) => scope !== 'import')
  await succeed(connection.send('POST', '/v1/api-keys', { body: { id, title, scopes: granted, secretHash } }))
  return `dbk_${id}_${secret}`
}

const Keys = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      scopes: z.array(z.string()),
      createdAt: z.string(),
      revokedAt: z.string().nullish(),
    }),
  ),
  next: z.string().nullable(),
})

export async function listKeys(connection: Connection): Promise<void> {
  const rows: string[][] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = Keys.parse((await succeed(connection.send('GET', `/v1/api-keys?limit=100${query}`))).body)
    rows.push(
      ...page.items.map(({ id, title, scopes: granted, createdAt, revokedAt }) => [
        id,
        title,
        granted.join(' '),
        createdAt,
        revokedAt ?? '',
      ]),
    )
    cursor = page.next
  } while (cursor !== null)
  printTable(['key', 'title', 'scopes', 'created', 'revoked'], rows)
}

export async function revokeKey(connection: Connection, id: string): Promise<void> {
  await succeed(connection.send('DELETE', `/v1/api-keys/${encodeURIComponent(id)}`))
}
