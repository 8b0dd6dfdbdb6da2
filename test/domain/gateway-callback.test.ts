import { test } from 'vitest'
import { gatewayCallback, gatewayCallbackEvents } from '../../src/domain/gateway-callback.ts'
import { specification } from '../../src/testing/specification.ts'

const { given, event } = specification(gatewayCallback, gatewayCallbackEvents, { id: 'sandbox.notice-1' })
const notice = {
  gateway: 'sandbox',
  noticeId: 'notice-1',
  kind: 'captured' as const,
  paymentId: 'payment-1',
  reference: 'pay_8f2k',
  amount: 5488,
  currency: 'EUR',
  occurredAt: '2026-01-15T09:30:00.000Z',
}
const received = event('GatewayCallbackReceived', notice)

test('a notice is kept as it came', () => {
  given().when('RecordCallback', notice).then(received)
})

test('a notice counts once, also when the gateway repeats it with another time', () => {
  given(received)
    .when('RecordCallback', { ...notice, occurredAt: '2026-01-15T09:31:00.000Z' })
    .thenNothing()
})
