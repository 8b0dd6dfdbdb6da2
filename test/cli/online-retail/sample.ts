import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parseLine, type RetailLine } from '../../../src/cli/online-retail/line.ts'

/** A file as dirty as the real one, in a few lines: 13 sales in 5 orders, 3 lines of credit notes that match, 8 that are set aside. */

export const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'

export const sampleRows = [
  '536365,85123A,WHITE HANGING HEART,6,2010-12-01T08:26:00,2.55,17850,United Kingdom',
  '536365,71053,WHITE METAL LANTERN,4,2010-12-01T08:26:00,3.39,17850,United Kingdom',
  '536365,85123A,WHITE HANGING HEART,2,2010-12-01T08:26:00,2.55,17850,United Kingdom',
  '536365,POST,POSTAGE,1,2010-12-01T08:27:00,18,17850,United Kingdom',
  '536366,85123a,"HEART, ""WHITE""",3,2010-12-02T10:00:00,2.5,,United Kingdom',
  '536366,BANK CHARGES,Bank Charges,1,2010-12-02T10:00:00,15,,United Kingdom',
  '536367,71053,,10,2010-12-02T11:00:00,0,,United Kingdom',
  '536368,22423,REGENCY CAKESTAND,-7,2010-12-02T11:05:00,0,,United Kingdom',
  '536369,85123A,CREAM HANGING HEART,10,2010-12-03T09:00:00,2.55,17850,United Kingdom',
  '536369,gift_0001_40,Dotcomgiftshop Gift Voucher £40.00,1,2010-12-03T09:00:00,34.04,17850,United Kingdom',
  'C536379,D,Discount,-1,2010-12-03T09:41:00,27.5,14527,United Kingdom',
  'C536380,85123A,WHITE HANGING HEART,-7,2010-12-04T09:00:00,2.55,17850,United Kingdom',
  'C536380,71053,WHITE METAL LANTERN,-1,2010-12-04T09:00:00,3.39,17850,United Kingdom',
  'C536380,71053,WHITE METAL LANTERN,-1,2010-12-04T09:00:00,9.99,17850,United Kingdom',
  'C536381,85123a,HEART,-1,2010-12-04T10:00:00,2.5,,United Kingdom',
  '536370,22423,REGENCY CAKESTAND,5,2010-12-31T23:59:00,12.75,12345,EIRE',
  '536370,22423,REGENCY CAKESTAND 3 TIER,1,2010-12-31T23:59:00,10.95,12345,EIRE',
  '536370,71053,WHITE METAL LANTERN,2,2011-01-01T00:00:00,3.39,12345,EIRE',
  '536371,85123A,WHITE HANGING HEART,1,2011-01-04T12:00:00,2.95,17850,Channel Islands',
  '536371,71053,WHITE METAL LANTERN,12,2011-01-04T12:00:00,2.95,17850,Channel Islands',
  'C536382,85123A,WHITE HANGING HEART,-4,2011-01-05T12:00:00,2.55,17850,United Kingdom',
  'C536383,22423,REGENCY CAKESTAND,-9,2011-01-05T13:00:00,12.75,12345,EIRE',
  'C536384,POST,POSTAGE,-1,2010-12-01T08:00:00,18,17850,United Kingdom',
  'A563187,B,Adjust bad debt,1,2011-01-05T14:00:00,-11062.06,,United Kingdom',
] as const

function csv(rows: readonly string[]): string {
  return `${[header, ...rows].join('\n')}\n`
}

/** Writes the rows as a CSV file, packed if its name says so. */
export function writeSample(directory: string, name = 'sample.csv', rows: readonly string[] = sampleRows): string {
  const file = join(directory, name)
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(csv(rows)) : csv(rows))
  return file
}

/** A line made of the sample's first one. */
export function line(changes: Partial<RetailLine> = {}): RetailLine {
  const parsed = parseLine(2, sampleRows[0].split(','))
  if (typeof parsed === 'string') throw new Error(parsed)
  return { ...parsed, ...changes }
}
