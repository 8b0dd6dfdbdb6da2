import { describe, expect, onTestFinished, test } from 'vitest'
import { mongoCoordination } from '../../../src/adapters/mongodb/coordination.ts'
import type { OperatorRequest } from '../../../src/engine/coordination.ts'
import { coordinationContract } from '../../contract/coordination.ts'
import { emptyDatabase, whyNotRun } from './empty-database.ts'

describe.skipIf(whyNotRun !== '')(`coordination in MongoDB${whyNotRun}`, () => {
  coordinationContract(async () => {
    const { connect, dispose } = emptyDatabase()
    return { members: [mongoCoordination(connect()), mongoCoordination(connect())], dispose }
  })

  test('keeps a hundred settled requests and no more, and all that are not', async () => {
    const { connect, dispose } = emptyDatabase()
    onTestFinished(dispose)
    const connection = connect()
    const cluster = mongoCoordination(connection)
    const request = (id: string): OperatorRequest => ({ id, action: 'skip', projection: 'orders' })
    await cluster.ask(request('open'))
    for (let index = 0; index < 110; index++) {
      await cluster.ask(request(`settled-${index}`))
      await cluster.settle(`settled-${index}`)
    }
    expect(await cluster.asked()).toEqual([request('open')])
    expect(await connection.database.collection('requests').countDocuments({ settled: true })).toBeLessThanOrEqual(101)
    await cluster.ask(request('settled-109'))
    expect(await cluster.asked()).toEqual([request('open')])
  })

  test('gives a lease whose traces were lost a higher token than it ever had, for the log remembers those', async () => {
    const { connect, dispose } = emptyDatabase()
    onTestFinished(dispose)
    const connection = connect()
    let nowMs = Date.parse('2026-01-01T12:00:00Z')
    const cluster = mongoCoordination(connection, { now: () => nowMs })
    const take = async () => (await cluster.take('process:ship/0', 'ada', (await cluster.leases())[0])) ?? 0
    await take()
    await take()
    const last = await take()
    await connection.database.collection('leases').drop()
    nowMs += 60_000
    expect(await take()).toBeGreaterThan(last)
  })
})
