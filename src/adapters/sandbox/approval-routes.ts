import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Payment } from './payment.ts'
import { Problem, parse } from './problem.ts'
import type { Processor } from './processor.ts'

/** The page to which a redirect leads: it asks in place of the shopper's bank. */

const Reference = z.object({ reference: z.string().min(1).max(200) })
const Decision = z.object({ decision: z.enum(['approve', 'refuse']) })
const Return = z.object({
  returnUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .exactOptional(),
})

const style = 'body{font:1.1rem/1.5 system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}button{font:inherit}'
const headers = { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'" }

/** Adds the page that asks the shopper. A shop that appends `?returnUrl=` to its address gets the shopper back. */
export function approvalRoutes(app: FastifyInstance, processor: Processor): void {
  function asked(params: unknown): Payment {
    const payment = processor.find(parse(Reference, params).reference)
    if (payment?.card.redirect === true) return payment
    throw new Problem(404, 'approval-not-found', 'There is no such payment that needs an approval.')
  }

  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: unknown, body: string) => Object.fromEntries(new URLSearchParams(body)),
  )

  app.get('/:reference', async (request, reply) => {
    const payment = asked(request.params)
    parse(Return, request.query)
    return reply.headers(headers).type('text/html').send(askingPage(payment))
  })

  app.post('/:reference', async (request, reply) => {
    const payment = asked(request.params)
    const { returnUrl } = parse(Return, request.query)
    processor.approve(payment, parse(Decision, request.body).decision === 'approve')
    if (returnUrl !== undefined) return reply.redirect(returnUrl, 303)
    return reply.headers(headers).type('text/html').send(decidedPage)
  })
}

/** All that it shows is the sandbox's own or matches a narrow pattern, so nothing needs escaping. */
function askingPage({ reference, currency, operations: [{ amount }] }: Payment): string {
  return page(
    'Approve this payment?',
    `<p>Sandbox payment ${reference}: ${amount} minor units of ${currency}. No money moves.</p>
<form method="post">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="refuse">Refuse</button>
</form>`,
  )
}

const decidedPage = page('Thank you', '<p>The shop will hear of it. You may close this page.</p>')

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}</style>
<main>
<h1>${title}</h1>
${content}
</main>
</html>
`
}
