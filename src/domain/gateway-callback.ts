import { z } from 'zod'
import { decider } from '../engine/decider.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { GatewayName } from './order/events.ts'
import { Amount, Currency, Id, Timestamp } from './values.ts'

/** A callback of a payment gateway, kept before it is answered. Its id is the gateway's name and the gateway's id of the notice, so it is kept once. */

export const Notice = z.object({
  gateway: GatewayName,
  noticeId: z.string().min(1).max(200).meta({ description: "The gateway's id of the notice", example: 'evt_5Hk2' }),
  kind: z
    .enum(['authorised', 'authorisation-refused', 'captured', 'capture-refused', 'refunded', 'refund-refused'])
    .meta({ description: 'What has become of the payment', example: 'captured' }),
  paymentId: Id,
  reference: z.string().min(1).max(200).meta({ description: "The gateway's name of the payment", example: 'pay_8Xq1' }),
  amount: Amount,
  currency: Currency,
  refundId: Id.exactOptional(),
  code: z
    .string()
    .min(1)
    .max(100)
    .exactOptional()
    .meta({ description: 'Why not, for programs', example: 'card-declined' }),
  reason: z
    .string()
    .min(1)
    .max(300)
    .exactOptional()
    .meta({ description: 'Why not, for people', example: 'Card declined' }),
  occurredAt: Timestamp,
})

// Events

export const gatewayCallbackEvents = defineEvents('gatewayCallback', { GatewayCallbackReceived: Notice })
export type GatewayCallbackEvent = EventOf<typeof gatewayCallbackEvents>

// State

interface GatewayCallback {
  readonly isReceived: boolean
}

function evolve(_callback: GatewayCallback, event: GatewayCallbackEvent): GatewayCallback {
  switch (event.type) {
    case 'GatewayCallbackReceived':
      return { isReceived: true }
  }
}

// Commands

const gatewayCallbackCommands = { RecordCallback: Notice }

// Decisions

/** Gateways repeat their notices, and some with small differences: the first one counts. */
function record(notice: z.output<typeof Notice>, { isReceived }: GatewayCallback): GatewayCallbackEvent[] {
  return isReceived ? [] : [{ type: 'GatewayCallbackReceived', data: notice }]
}

export const gatewayCallback = decider({
  events: gatewayCallbackEvents,
  commands: gatewayCallbackCommands,
  initial: { isReceived: false },
  evolve,
  decide: { RecordCallback: record },
})
