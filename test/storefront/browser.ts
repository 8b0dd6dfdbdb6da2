import { execFileSync } from 'node:child_process'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { serveStorefront } from '../../src/cli/storefront.ts'
import { type OpenShop, openShop } from '../integration/open-shop.ts'

/** Where Chromium is, on the path or where CHROMIUM says; undefined where there is none. */
function findChromium(): string | undefined {
  const { CHROMIUM } = process.env
  if (CHROMIUM !== undefined && CHROMIUM !== '') return CHROMIUM
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    } catch {
      // Perhaps under another name.
    }
  }
  return undefined
}

const executablePath = findChromium()

/** Why tests in a browser are not run, if so. */
export const whyNotRun =
  executablePath === undefined ? ' (not run: there is no Chromium; set CHROMIUM to its path)' : ''

export interface Storefront {
  readonly shop: OpenShop
  readonly url: string
  /** Opens the page in a browser of its own. */
  visit(options?: BrowserContextOptions): Promise<Page>
  /** What browsers complained of: errors of scripts, and what the policy or the network refused. */
  readonly complaints: readonly string[]
}

export const phone = { width: 360, height: 740 }
export const desktop = { width: 1280, height: 900 }

/** Opens a shop with its page, and a browser to look at it. All end with the test. */
export async function openStorefront(settings: Record<string, string> = {}): Promise<Storefront> {
  const page = await serveStorefront(0)
  onTestFinished(page.close)
  const shop = await openShop({
    DAYBOOK_CORS_ORIGINS: page.origins.join(','),
    DAYBOOK_SHOP_URL: `${page.url}/`,
    ...settings,
  })
  page.tell({ url: shop.url, sandboxUrl: shop.sandboxUrl })
  let browser: Browser | undefined
  onTestFinished(async () => browser?.close())
  const complaints: string[] = []
  return {
    shop,
    url: page.url,
    complaints,
    async visit(options = {}) {
      browser ??= await chromium.launch({
        ...(executablePath !== undefined && { executablePath }),
        // Chromium as root needs that; the page is our own.
        args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
      })
      const context = await browser.newContext({ viewport: desktop, locale: 'en-GB', ...options })
      context.setDefaultTimeout(20_000)
      const opened = await context.newPage()
      opened.on('pageerror', (error) => complaints.push(error.message))
      opened.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      await opened.goto(page.url)
      return opened
    },
  }
}
