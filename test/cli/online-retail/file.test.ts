import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readRetailFile } from '../../../src/cli/online-retail/file.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'
import { header, sampleRows, writeSample } from './sample.ts'

function directory(): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  return path
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory(), name)
  writeFileSync(path, content)
  return path
}

test('a file is read, packed or not, and is known by its content', async () => {
  const plain = await readRetailFile(writeSample(directory()))
  const packed = await readRetailFile(writeSample(directory(), 'sample.csv.gz'))
  expect(plain.lines).toHaveLength(sampleRows.length)
  expect(plain.lines[4]).toMatchObject({ number: 6, description: 'HEART, "WHITE"', stockCode: '85123a' })
  expect(packed).toEqual(plain)
  const other = await readRetailFile(writeSample(directory(), 'other.csv', sampleRows.slice(1)))
  expect(other.digest).not.toBe(plain.digest)
})

test('a byte order mark, Windows line ends and empty lines do no harm', async () => {
  const path = file('windows.csv', `\uFEFF${[header, sampleRows[0], '', sampleRows[1]].join('\r\n')}\r\n`)
  expect((await readRetailFile(path)).lines.map(({ number }) => number)).toEqual([2, 4])
})

test('a packed file that is cut short is refused', async () => {
  const whole = readFileSync(writeSample(directory(), 'sample.csv.gz'))
  await expect(readRetailFile(file('cut.csv.gz', whole.subarray(0, whole.length - 20)))).rejects.toThrow('is cut short')
  await expect(readRetailFile(file('none.csv.gz', 'InvoiceNo'))).rejects.toThrow('is no valid gzip file')
})

test.each([
  [
    'within a field',
    `${header}\n${sampleRows[0]}\n${sampleRows[1].slice(0, 30)}`,
    'line 3: it has 3 fields instead of 8',
  ],
  ['within the last field', `${header}\n${sampleRows[0].slice(0, -3)}`, 'Country "United King" is no country'],
  ['within quotes', `${header}\n536366,85123a,"HEART`, 'cut short'],
  ['before the header', '', 'is empty'],
])('a file that is cut short %s is refused', async (_where, content, message) => {
  await expect(readRetailFile(file('cut.csv', content))).rejects.toThrow(message)
})

test('another header is refused, and says which one it must be', async () => {
  await expect(readRetailFile(file('other.csv', 'Invoice,StockCode\n1,2\n'))).rejects.toThrow(`must be ${header}`)
})

test('lines that can not be read are named, the first ten of them', async () => {
  const bad = sampleRows.map((row) => row.replace(/,[^,]*$/, ',Atlantis'))
  const path = writeSample(directory(), 'bad.csv', bad)
  await expect(readRetailFile(path)).rejects.toThrow(
    new RegExp(`what stands in ${bad.length} lines[^]*line 2: Country[^]*line 11: [^]*and ${bad.length - 10} more`),
  )
})

test('a file that is not there, or is a directory, is refused', async () => {
  await expect(readRetailFile('/nowhere.csv')).rejects.toThrow('There is no file /nowhere.csv')
  await expect(readRetailFile(directory())).rejects.toThrow('is a directory')
})
