import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse'
import { columns, parseLine, type RetailLine } from './line.ts'

/** A file that can't be imported. Nothing of it has been. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError'
}

export interface RetailFile {
  /** Without the header, in order. */
  readonly lines: readonly RetailLine[]
  /** Names the content: the same for the same lines. */
  readonly digest: string
}

const mostShown = 10
const header = columns.join(',')

function isZipped(file: string): boolean {
  return file.endsWith('.gz')
}

function hasCode(error: unknown): error is { readonly code: string } {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
}

/** What is wrong with the file, in words for who brought it. */
function unreadable(file: string, error: unknown): unknown {
  if (error instanceof CsvError) {
    const hint = error.code === 'CSV_QUOTE_NOT_CLOSED' ? ' It may have been cut short: get it again.' : ''
    return new UnreadableFileError(`${file} is no valid CSV: ${error.message}.${hint} Nothing was imported.`)
  }
  if (!hasCode(error)) return error
  if (error.code === 'Z_BUF_ERROR') {
    return new UnreadableFileError(`${file} is cut short. Get it again. Nothing was imported.`)
  }
  if (error.code.startsWith('Z_')) {
    return new UnreadableFileError(`${file} is no valid gzip file. Get it again. Nothing was imported.`)
  }
  if (error.code === 'ENOENT') return new UnreadableFileError(`There is no file ${file}.`)
  if (error.code === 'EISDIR') return new UnreadableFileError(`${file} is a directory. Name the CSV file in it.`)
  return error
}

/**
 * Reads the whole file before anything of it is imported, so that a broken one is never imported in part.
 * @throws UnreadableFileError that says what is wrong, and in which lines
 */
export async function readRetailFile(file: string, signal?: AbortSignal): Promise<RetailFile> {
  const lines: RetailLine[] = []
  const faults: string[] = []
  const hash = createHash('sha256')
  const parser = parse({ bom: true, relaxColumnCount: true, skipEmptyLines: true, info: true })
  let isHeader = true
  async function collect(records: AsyncIterable<{ record: string[]; info: { lines: number } }>): Promise<void> {
    for await (const { record, info } of records) {
      if (isHeader) {
        if (record.join(',') !== header) throw new UnreadableFileError(wrongHeader(file, record))
        isHeader = false
        continue
      }
      hash.update(JSON.stringify(record))
      const line = parseLine(info.lines, record)
      if (typeof line !== 'string') lines.push(line)
      else faults.push(`line ${info.lines}: ${line}`)
    }
  }
  try {
    const source = createReadStream(file)
    const options = signal ? { signal } : {}
    if (isZipped(file)) await pipeline(source, createGunzip(), parser, collect, options)
    else await pipeline(source, parser, collect, options)
  } catch (error) {
    throw unreadable(file, error)
  }
  if (isHeader) throw new UnreadableFileError(`${file} is empty. Its first line must be ${header}`)
  if (faults.length > 0) {
    const more = faults.length > mostShown ? `\n  and ${faults.length - mostShown} more` : ''
    throw new UnreadableFileError(
      `${file} can't be read, for what stands in ${faults.length === 1 ? 'one line' : `${faults.length} lines`}. Correct it, or get the file again. Nothing was imported.\n  ${faults.slice(0, mostShown).join('\n  ')}${more}`,
    )
  }
  return { lines, digest: hash.digest('hex').slice(0, 12) }
}

function wrongHeader(file: string, found: readonly string[]): string {
  return `${file} is no file of the Online Retail data set: its first line must be ${header}, and is ${found.join(',').slice(0, 200)}. Nothing was imported.`
}
