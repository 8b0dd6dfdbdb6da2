/** What a shop of its own is defined with: `daybook/definitions`. All of it is pure, and loaded in every thread that builds read models. */

/** The very zod that Daybook has: what another copy of it makes, it does not know. */
export { z } from 'zod'
export { type Mail, type MailGateway, UndeliverableMailError } from './accounts/mail-gateway.ts'
export { cart } from './domain/cart/cart.ts'
export { cartEvents } from './domain/cart/events.ts'
export { customer, customerEvents } from './domain/customer.ts'
export { orderEvents } from './domain/order/events.ts'
export { order } from './domain/order/order.ts'
export { paymentEvents } from './domain/payment/events.ts'
export { payment } from './domain/payment/payment.ts'
export { product, productEvents } from './domain/product.ts'
export { stockItem, stockItemEvents } from './domain/stock-item.ts'
export {
  Address,
  Amount,
  Attributes,
  Country,
  Currency,
  EmailAddress,
  Id,
  Quantity,
  Reason,
  Reference,
  Sku,
  Timestamp,
  Title,
} from './domain/values.ts'
export { type Access, anyone, owner, type Principal, shopper, staff } from './engine/access.ts'
export { type Ask, ask } from './engine/command.ts'
export { type CommandDefinition, command, type Outcome, outcome, type Sent } from './engine/command-definition.ts'
export {
  type Context,
  type Decider,
  type DecisionWithFacts,
  decider,
  fact,
  type SnapshotFormat,
  withFacts,
} from './engine/decider.ts'
export { notFound, Rejection, reject } from './engine/errors.ts'
export { defineEvents, type EventOf, type Recorded, versioned } from './engine/events.ts'
export { type JobDefinition, job, type Work, type WorkInHand } from './engine/job.ts'
export { personal } from './engine/personal-data.ts'
export { listeningProcess, type ProcessManager, processManager } from './engine/process-manager.ts'
export { type Collection, collection, derivedCollection, type Projection, projection } from './engine/projection.ts'
export {
  documentQuery,
  pageOf,
  pageParameters,
  pageQuery,
  type QueryDefinition,
  query,
} from './engine/query-definition.ts'
export { derivedId, idOf } from './engine/streams.ts'
export type { Extension, JobSurroundings } from './extension.ts'
export {
  type CallbackRequest,
  ForgedCallbackError,
  type GatewayAnswer,
  type GatewayNotice,
  type Money,
  type NextAction,
  type PaymentGateway,
} from './workers/payment-gateway.ts'
