import type { Answer, Item, paths } from 'daybook/client'
import { element, fieldOf } from './element.ts'
import { attempt, notice } from './notice.ts'
import type { Page } from './page.ts'
import { moment, money } from './preferences.ts'
import { cardToken, client } from './shop.ts'
import { text } from './texts.ts'

type Order = Answer<paths, 'get', '/v1/orders/{orderId}'>

const followEveryMs = 700
const followForMs = 120_000
const outcomeSeconds = 10

/** What the shopper can do now: pay, approve, wait, or nothing any more. */
function stepOf({ status, payment }: Order): 'pay' | 'approve' | 'wait' | 'done' {
  if (status !== 'pending') return 'done'
  if (payment === null || payment.status === 'failed') return 'pay'
  return payment.nextAction?.kind === 'redirect' ? 'approve' : 'wait'
}

function saysOf(order: Order): string {
  const { status, endReason, paymentStatus, payment, expiresAt } = order
  if (status === 'rejected') return text('outOfStock')
  if (status === 'cancelled') return endReason === 'out-of-stock' ? text('outOfStock') : text('ended')
  if (status !== 'pending') return paymentStatus === 'captured' ? text('paid') : text('confirmed')
  if (payment?.status === 'failed') return text('declined', { reason: payment.failure?.reason ?? '' })
  return stepOf(order) === 'pay' ? text('waitsForPayment', { time: moment(expiresAt) }) : text('waitsForGateway')
}

/** Whether nothing will change by itself any more that this page waits for. */
function isSettled({ status, paymentStatus, totals }: Order): boolean {
  if (status === 'pending') return false
  return status !== 'confirmed' || paymentStatus === 'captured' || totals.total === 0
}

function paymentForm(order: Order, after: () => Promise<void>): HTMLElement {
  const label = text('pay', { amount: money(order.totals.total, order.currency) })
  const pay = element('button', { type: 'submit', class: 'main' }, label)
  const failure = element('div', {})
  const field = (name: string, says: string, rest: Readonly<Record<string, unknown>>) =>
    element(
      'label',
      { class: 'field' },
      says,
      element('input', { name, required: true, inputmode: 'numeric', ...rest }),
    )
  const form = element(
    'form',
    {
      class: 'payment',
      on: {
        submit(event) {
          event.preventDefault()
          void attempt(pay, failure, text('paying'), async () => {
            const card = { number: fieldOf(form, 'number'), expiry: fieldOf(form, 'expiry'), cvc: fieldOf(form, 'cvc') }
            const token = await cardToken(card)
            const body = { gateway: 'sandbox', token }
            await client.post('/v1/orders/{orderId}/pay', {
              path: { orderId: order.id },
              body,
              waitSeconds: outcomeSeconds,
            })
            await after()
          })
        },
      },
    },
    element('h2', {}, text('payment')),
    field('number', text('cardNumber'), { autocomplete: 'cc-number', maxlength: 23, pattern: '[0-9 \\-]{12,23}' }),
    element(
      'div',
      { class: 'pair' },
      field('expiry', text('expiry'), {
        autocomplete: 'cc-exp',
        maxlength: 5,
        pattern: '(0[1-9]|1[0-2])/[0-9]{2}',
        placeholder: '12/39',
      }),
      field('cvc', text('cvc'), { autocomplete: 'cc-csc', maxlength: 4, pattern: '[0-9]{3,4}' }),
    ),
    pay,
    failure,
    element('p', { class: 'quiet' }, text('cardGoes')),
    element('p', { class: 'quiet' }, text('testCards')),
  )
  return form
}

function paymentStep(order: Order, after: () => Promise<void>): HTMLElement | undefined {
  switch (stepOf(order)) {
    case 'pay':
      return paymentForm(order, after)
    case 'approve': {
      const action = order.payment?.nextAction
      if (action?.kind !== 'redirect') return undefined
      const approval = new URL(action.url)
      approval.searchParams.set('returnUrl', location.href)
      return element('a', { class: 'button main', href: approval.href }, text('approve'))
    }
    case 'wait':
      return element('progress', { 'aria-label': text('waitsForGateway') })
    case 'done':
      return order.status === 'rejected'
        ? element('a', { class: 'button main', href: '#/' }, text('keepShopping'))
        : undefined
  }
}

function entry({ at, title }: Item<paths, '/v1/orders/{orderId}/timeline'>): HTMLElement {
  return element('li', {}, element('time', { datetime: at }, moment(at)), element('span', {}, title))
}

function contents({ lines, totals, shipping, currency }: Order): HTMLElement {
  const row = (label: string, amount: number) => [element('dt', {}, label), element('dd', {}, money(amount, currency))]
  return element(
    'section',
    { class: 'totals' },
    element(
      'ul',
      {},
      ...lines.map(({ title, quantity, amount }) =>
        element('li', {}, `${quantity} × ${title}`, element('span', { class: 'price' }, money(amount, currency))),
      ),
    ),
    element('dl', {}, ...row(shipping.title, totals.shipping), ...row(text('total'), totals.total)),
    element('p', { class: 'quiet' }, text('taxIncluded')),
  )
}

function waitMs(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** An order: what it is, how far it is, its payment, and all that has happened, followed until it is settled. */
export const orderPage: Page = async ({ root, signal, parts, titled }) => {
  const [, orderId = ''] = parts
  const asked = { path: { orderId }, signal }
  const state = element('p', { class: 'state', role: 'status' })
  const step = element('div', { class: 'step' })
  const timeline = element('ol', { class: 'timeline' })
  let shown = ''

  async function look(): Promise<Order> {
    const order = await client.get('/v1/orders/{orderId}', asked)
    const entries: HTMLElement[] = []
    for await (const each of client.paginate('/v1/orders/{orderId}/timeline', asked)) entries.push(entry(each))
    if (state.textContent !== saysOf(order)) state.textContent = saysOf(order)
    if (entries.length !== timeline.childElementCount) timeline.replaceChildren(...entries)
    const wanted = stepOf(order)
    // A form that somebody fills in stays as it is.
    if (wanted !== shown) {
      shown = wanted
      step.replaceChildren(...[paymentStep(order, again)].filter((each) => each !== undefined))
    }
    return order
  }
  async function again(): Promise<void> {
    shown = ''
    await look()
  }
  async function follow(): Promise<void> {
    const until = performance.now() + followForMs
    for (;;) {
      await waitMs(followEveryMs, signal)
      if (signal.aborted || isSettled(await look())) return
      if (performance.now() < until) continue
      step.append(element('button', { type: 'button', on: { click: () => void followed() } }, text('lookAgain')))
      return
    }
  }
  async function followed(): Promise<void> {
    try {
      await follow()
    } catch (error) {
      if (!signal.aborted) step.replaceChildren(notice(error, () => void followed()))
    }
  }

  const order = await look()
  root.append(
    titled(text('order', { number: order.number })),
    state,
    element(
      'div',
      { class: 'order' },
      step,
      contents(order),
      element('section', {}, element('h2', {}, text('timeline')), timeline),
    ),
  )
  if (!isSettled(order)) void followed()
}
