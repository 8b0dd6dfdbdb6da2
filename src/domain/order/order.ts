import { decider } from '../../engine/decider.ts'
import { orderCommands } from './commands.ts'
import { orderEvents } from './events.ts'
import { deliver, ship } from './fulfilment.ts'
import { cancel, confirm, expire, importOrder, place, recordReservation, rejectOrder } from './placement.ts'
import {
  importRefund,
  pay,
  recordPayment,
  recordPaymentFailure,
  recordRefund,
  recordRefundFailure,
  refund,
} from './settlement.ts'
import { evolve, initial } from './state.ts'

export type { Order } from './state.ts'

/** What somebody bought. Its own state is one thing; how far it is paid and how far it is shipped follow from their parts. */
export const order = decider({
  events: orderEvents,
  commands: orderCommands,
  initial,
  evolve,
  decide: {
    PlaceOrder: place,
    ImportOrder: importOrder,
    RecordReservation: recordReservation,
    RejectOrder: rejectOrder,
    PayOrder: pay,
    ConfirmOrder: confirm,
    RecordPayment: recordPayment,
    RecordPaymentFailure: recordPaymentFailure,
    ExpireOrder: expire,
    CancelOrder: cancel,
    ShipOrder: ship,
    DeliverShipment: deliver,
    RefundOrder: refund,
    ImportRefund: importRefund,
    RecordRefund: recordRefund,
    RecordRefundFailure: recordRefundFailure,
  },
})
