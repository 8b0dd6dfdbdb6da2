import { execFile, execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { environmentWith, startChild } from '../child-process.ts'
import { samplesRunBy } from '../docs/samples.ts'
import { freePort } from '../free-port.ts'
import {
  address,
  checkOut,
  guest,
  type ShopClient,
  type Shopper,
  shopClient,
  stock,
} from '../integration/shop-client.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { installPacked } from './packed.ts'

const run = promisify(execFile)

describe('the packed package', () => {
  const { path: directory, remove } = temporaryDirectory()
  const data = join(directory, 'data')
  let project: string
  let bin: string

  beforeAll(() => {
    project = installPacked(directory, 'gift-shop')
    bin = join(project, 'node_modules/daybook/bin/daybook.cjs')
  }, 120_000)
  afterAll(remove)

  async function daybook(...args: string[]): Promise<string> {
    const settings = { DAYBOOK_DATA_DIR: data, DAYBOOK_LOG_LEVEL: 'silent' }
    const { stdout } = await run(process.execPath, [join(project, 'main.ts'), ...args], {
      env: environmentWith(settings),
    })
    return stdout
  }

  test('has no sources and nothing to test them by', () => {
    const has = (name: string) => existsSync(join(project, 'node_modules/daybook', name))
    expect({ dist: has('dist/daybook.js'), src: has('src'), test: has('test') }).toEqual({
      dist: true,
      src: false,
      test: false,
    })
  })

  test('has no link in its pages that leads nowhere', () => {
    const pages = globSync('**/*.md', { cwd: join(project, 'node_modules/daybook') })
    expect(pages).toContain('README.md')
    const broken = pages.flatMap((page) => {
      const file = join(project, 'node_modules/daybook', page)
      const links = readFileSync(file, 'utf8').matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)/g)
      return Array.from(links, ([, target = '']) => target)
        .filter((target) => !existsSync(join(dirname(file), target)))
        .map((target) => `${page}: ${target}`)
    })
    expect(broken).toEqual([])
  })

  test('imports no package that it does not bring', () => {
    const cwd = join(project, 'node_modules/daybook')
    const { dependencies } = z
      .object({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')))
    const imported = globSync('dist/**/*.js', { cwd }).flatMap((file) =>
      Array.from(
        readFileSync(join(cwd, file), 'utf8').matchAll(
          /^(?:(?:import|export|\}).* from|import) ['"]((?:@[\w.-]+\/)?\w[\w.-]*)(?![\w:])/gm,
        ),
        ([, name = '']) => name,
      ),
    )
    expect(imported).toContain('zod')
    expect([...new Set(imported)].filter((name) => !(name in dependencies))).toEqual([])
  })

  test('runs its command', async () => {
    expect((await run(process.execPath, [bin, '--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('runs with a newer Node.js where the machine has an old one, and says what to install where there is none', async () => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '18.0.0' })"
    const unknown = "Object.defineProperty(process, 'arch', { value: 'mips' })"
    async function version(...properties: string[]): Promise<string> {
      const file = join(directory, 'old.cjs')
      writeFileSync(file, [...properties, `require(${JSON.stringify(bin)})`].join('\n'))
      return (await run(process.execPath, [file, '--version'])).stdout
    }
    expect(await version(old)).toMatch(/^\d+\.\d+\.\d+\n$/)
    await expect(version(old, unknown)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('needs Node.js 26 or later'),
    })
  }, 60_000)

  test('has types that a shop of its own is checked by', () => {
    const compiler = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [compiler, '-p', project], { stdio: 'pipe' })
  }, 60_000)

  test('alone, it serves the demo shop with its page', async () => {
    const settings = { DAYBOOK_DATA_DIR: join(directory, 'demo'), DAYBOOK_PORT: '0', DAYBOOK_METRICS_PORT: '0' }
    const demo = startChild({ command: [process.execPath, bin], environment: environmentWith(settings) })
    onTestFinished(demo.kill)
    const url = (name: string) => new RegExp(`${name} +(http://[\\d.:]+)`).exec(demo.output())?.[1]
    await vi.waitUntil(() => url('Shop') ?? demo.end(), { timeout: 60_000, interval: 50 })
    const page = await (await fetch(url('Shop') ?? '')).text()
    expect(page).toMatch(/<script type="module" src="\/main/)
    expect((await fetch(new URL('/v1/products?language=en&currency=EUR', url('API')))).status).toBe(200)
  }, 90_000)

  test('is opened in tests of a shop of its own', async () => {
    await run(process.execPath, ['--test'], { cwd: project, env: environmentWith({}) })
  }, 60_000)

  describe('a shop with an extension', () => {
    let server: ServerProcess
    let shop: ShopClient
    let buyer: Shopper
    let metricsUrl: string

    beforeAll(async () => {
      const metricsPort = await freePort()
      metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`
      server = startServer({
        directory: data,
        main: join(project, 'main.ts'),
        settings: { DAYBOOK_METRICS_PORT: String(metricsPort) },
      })
      const { url, token } = await server.ready()
      shop = shopClient({ url, token, sandboxUrl: '' })
    }, 60_000)
    afterAll(async () => {
      await server.kill()
    })

    async function order(quantity: number): Promise<string> {
      const { id: cart } = (await shop.post('/v1/carts', { currency: 'EUR' }, { token: buyer.token })).body
      const post = (path: string, body: object) => shop.post(`/v1/carts/${cart}/${path}`, body, { token: buyer.token })
      await post('lines', { productId: 'gift-card', sku: 'GIFT-50', quantity })
      await post('address', { country: 'DE', email: 'ada@example.com', shippingAddress: address })
      await post('shipping', { method: 'standard' })
      return await checkOut(shop, cart, buyer)
    }

    async function pay(id: string): Promise<void> {
      const body = { gateway: 'invoice', token: 'PO-1' }
      await shop.post(`/v1/orders/${id}/pay`, body, { token: buyer.token, headers: { prefer: 'wait=30' } })
    }

    const cards = async () => (await shop.get('/v1/gift-cards?currency=EUR')).items

    test('sells on invoice, and issues a card for each piece that is paid', async () => {
      await stock(shop)
      await shop.post('/v1/products', {
        id: 'gift-card',
        slug: 'gift-card',
        texts: { en: { title: 'Gift card', description: 'For whatever they like.' } },
        variants: [{ sku: 'GIFT-50', prices: { EUR: 5000 } }],
        publish: true,
      })
      await shop.post('/v1/stock-items/GIFT-50/receive', { quantity: 100, reference: 'DN-1' })
      buyer = await guest(shop)
      const paid = await order(2)
      await pay(paid)
      await expect
        .poll(cards)
        .toEqual([
          expect.objectContaining({ balance: 5000, currency: 'EUR', customerId: buyer.customerId, orderId: paid }),
          expect.objectContaining({ balance: 5000, currency: 'EUR', customerId: buyer.customerId, orderId: paid }),
        ])
      const [{ id }] = await cards()
      expect(await shop.get(`/v1/gift-cards/${id}`, buyer.token)).toMatchObject({ balance: 5000 })
      const other = await guest(shop)
      expect((await shop.send('GET', `/v1/gift-cards/${id}`, { token: other.token })).status).toBe(404)
    })

    test("refuses what is above the gateway's limit", async () => {
      const dear = await order(25)
      await pay(dear)
      await expect.poll(async () => (await shop.get(`/v1/orders/${dear}`)).payment?.status).toBe('failed')
      await expect
        .poll(async () => (await shop.get(`/v1/orders/${dear}/timeline`)).items)
        .toContainEqual(expect.objectContaining({ type: 'OrderPaymentFailed' }))
      expect(await cards()).toHaveLength(2)
    })

    test('spends a card once for each reference, and no more than there is', async () => {
      const [{ id }] = await cards()
      const spend = (amount: number, reference: string) =>
        shop.send('POST', `/v1/gift-cards/${id}/spend`, {
          body: { amount, reference },
          headers: { 'idempotency-key': `${reference}-${amount}` },
        })
      expect((await spend(3000, 'till-1')).status).toBe(200)
      expect((await spend(3000, 'till-1')).status).toBe(200)
      expect(await spend(3000, 'till-2')).toMatchObject({ status: 409, body: { code: 'gift-card-too-small' } })
      expect((await shop.get(`/v1/gift-cards/${id}`)).balance).toBe(2000)
    })

    test('shows in the document of the API, in the metrics and in the command line', { timeout: 60_000 }, async () => {
      const document = (await shop.send('GET', '/openapi.json')).body
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining(['/v1/gift-cards', '/v1/gift-cards/{giftCardId}/spend']),
      )
      const metrics = await (await fetch(metricsUrl)).text()
      expect(metrics).toMatch(/projection="gift-cards"/)
      expect(metrics).toMatch(/process="issue-gift-cards"/)
      expect(await daybook('call')).toMatch(/^spendGiftCard +POST /m)
      expect(await daybook('projections')).toMatch(/^gift-cards +1 +live/m)
      expect(JSON.parse(await daybook('call', 'listGiftCards', 'currency=EUR')).items).toHaveLength(2)
      expect(await daybook('replay', '--type', 'GiftCardSpent')).toMatch(/till-1/)
    })

    test('is called from the command line as its guide says', { timeout: 60_000 }, async () => {
      const [, { id }] = await cards()
      const texts = samplesRunBy('test/package/gift-shop.test.ts', 'docs/extending.md').map(({ text }) => text)
      const script = texts.join('\n').replace('giftCardId=…', `giftCardId=${id}`)
      const env = environmentWith({
        DAYBOOK_DATA_DIR: data,
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      })
      const { stdout } = await run('bash', ['-c', `set -euo pipefail\n${script}`], { cwd: project, env })
      expect(stdout).toMatch(/^spendGiftCard +POST /m)
      expect(stdout).toMatch(/### GiftCardIssued/)
    })

    test('is rebuilt in threads of its own', async () => {
      await daybook('projections', 'rebuild', 'gift-cards')
      expect((await cards()).map(({ balance }: { balance: number }) => balance)).toEqual([5000, 2000])
    })
  })
})
