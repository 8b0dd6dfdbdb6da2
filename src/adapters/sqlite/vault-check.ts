import { DatabaseSync } from 'node:sqlite'
import { text } from './database.ts'

/** Looks into a vault that nobody writes, without changing it. */
export interface VaultReader {
  /** Those of these persons of whom the vault has neither a key, nor that they were forgotten. */
  unknown(persons: readonly string[]): readonly string[]
  close(): void
}

const unknownPersons = `SELECT value AS person FROM json_each(?) WHERE NOT EXISTS (
    SELECT 1 FROM person LEFT JOIN key ON key.number = person.key
    WHERE person.person = value AND (person.key IS NULL OR key.number IS NOT NULL)
  )`

/** Opens a vault of the newest layout, such as a copy of one. */
export function openVaultReader(file: string): VaultReader {
  const database = new DatabaseSync(file, { readOnly: true })
  const unknown = database.prepare(unknownPersons)
  return {
    unknown: (persons) =>
      persons.length === 0 ? [] : unknown.all(JSON.stringify(persons)).map(({ person }) => text(person)),
    close: () => database.close(),
  }
}
