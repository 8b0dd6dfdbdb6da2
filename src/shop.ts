import { cartRequests } from './commands/carts.ts'
import { categoryRequests, productRequests } from './commands/catalogue.ts'
import { customerRequests } from './commands/customers.ts'
import { deadLetterRequests } from './commands/dead-letters.ts'
import { orderPaymentRequests, orderRequests } from './commands/orders.ts'
import { paymentRequests } from './commands/payments.ts'
import { apiKeyRequests, shippingMethodRequests, taxRatesRequests } from './commands/settings.ts'
import { stockItemRequests } from './commands/stock-items.ts'
import { webhookRequests } from './commands/webhooks.ts'
import { apiKey, scopes } from './domain/api-key.ts'
import { cart } from './domain/cart/cart.ts'
import { category } from './domain/category.ts'
import { customer } from './domain/customer.ts'
import { gatewayCallback } from './domain/gateway-callback.ts'
import { order } from './domain/order/order.ts'
import { payment } from './domain/payment/payment.ts'
import { product } from './domain/product.ts'
import { shippingMethod } from './domain/shipping-method.ts'
import { stockItem } from './domain/stock-item.ts'
import { taxRates } from './domain/tax-rates.ts'
import { webhookDelivery } from './domain/webhook-delivery.ts'
import { webhookReceiver } from './domain/webhook-receiver.ts'
import { webhooks } from './domain/webhooks.ts'
import type { CredentialStore } from './engine/credential-store.ts'
import type { KeyVault } from './engine/key-vault.ts'
import { openWork } from './engine/open-work.ts'
import type { PersonalData } from './engine/personal-data.ts'
import { assertFits, type Extension, type ShopParts } from './extension.ts'
import { apiKeyQueries, apiKeys } from './projections/api-keys.ts'
import { cartQueries, carts } from './projections/carts.ts'
import { catalogue } from './projections/catalogue.ts'
import { catalogueQueries } from './projections/catalogue-queries.ts'
import { categories, categoryQueries } from './projections/categories.ts'
import { customerQueries, customers } from './projections/customers.ts'
import { deadLetterQueries, deadLetters } from './projections/dead-letters.ts'
import { openWorkQueries } from './projections/open-work.ts'
import { orderQueries } from './projections/order-queries.ts'
import { orderTimeline, timelineQueries } from './projections/order-timeline.ts'
import { orders } from './projections/orders.ts'
import { paymentQueries, payments } from './projections/payments.ts'
import { sales } from './projections/sales.ts'
import { salesQueries } from './projections/sales-queries.ts'
import { shippingMethodQueries, shippingMethods } from './projections/shipping-methods.ts'
import { stockLevelQueries, stockLevels } from './projections/stock-levels.ts'
import { taxRateQueries, taxRates as taxRatesReadModel } from './projections/tax-rates.ts'
import { webhookDeliveries, webhookDeliveryQueries } from './projections/webhook-deliveries.ts'
import { webhookDirectory, webhookQueries } from './projections/webhooks.ts'
import { authorisePayment } from './workers/authorise-payment.ts'
import { cancelPayment } from './workers/cancel-payment.ts'
import { capturePayment } from './workers/capture-payment.ts'
import { deliverWebhook, type WebhookSurroundings } from './workers/deliver-webhook.ts'
import { erasePerson } from './workers/erase-person.ts'
import { expireOrder } from './workers/expire-order.ts'
import { fulfilOrder } from './workers/fulfil-order.ts'
import type { PaymentGateway } from './workers/payment-gateway.ts'
import { placeOrder } from './workers/place-order.ts'
import { refundPayment } from './workers/refund-payment.ts'
import { deliverableEvents, requestWebhookDeliveries } from './workers/request-webhook-deliveries.ts'
import { settlePayment } from './workers/settle-payment.ts'

export type Shop = ShopParts

/** What the shop's work reaches outside. */
export interface Surroundings {
  /** Beside those of extensions. */
  readonly gateways: readonly PaymentGateway[]
  readonly vault: Pick<KeyVault, 'forget'>
  readonly credentials: Pick<CredentialStore, 'forget'>
  readonly open: PersonalData['open']
  readonly webhooks: WebhookSurroundings
  /** How long an order waits for its payment. */
  readonly paymentWindowMs: number
}

/**
 * Puts the shop together.
 * @param extensions what it has beside what every shop has
 * @throws ExtensionError when they don't fit
 */
export function shop(surroundings: Surroundings, extensions: readonly Extension[] = []): Shop {
  const { vault, credentials, open, webhooks: receivers, paymentWindowMs } = surroundings
  const all = [...surroundings.gateways, ...extensions.flatMap(({ gateways = [] }) => gateways)]
  const gateways = new Map(all.map((gateway) => [gateway.name, gateway]))
  const aggregates = [
    product,
    category,
    stockItem,
    shippingMethod,
    taxRates,
    customer,
    cart,
    order,
    payment,
    gatewayCallback,
    apiKey,
    webhooks,
    webhookReceiver,
    webhookDelivery,
    ...extensions.flatMap(({ aggregates: additional = [] }) => additional),
  ]
  const deliverable = deliverableEvents(aggregates)
  const jobs = [
    expireOrder,
    authorisePayment(gateways, open),
    capturePayment(gateways),
    cancelPayment(gateways),
    refundPayment(gateways),
    erasePerson(vault, credentials),
    deliverWebhook(deliverable, receivers),
    ...extensions.flatMap(({ jobs: additional }) => additional?.({ open }) ?? []),
  ]
  const extended: Shop = {
    gateways: all,
    aggregates,
    commands: [
      ...productRequests,
      ...categoryRequests,
      ...stockItemRequests,
      ...shippingMethodRequests,
      ...taxRatesRequests,
      ...customerRequests,
      ...cartRequests,
      ...orderRequests,
      ...orderPaymentRequests([...gateways.keys()]),
      ...paymentRequests,
      ...apiKeyRequests,
      ...deadLetterRequests,
      ...webhookRequests([...deliverable.keys()], receivers.gateway.allowsPrivate),
      ...extensions.flatMap(({ commands = [] }) => commands),
    ],
    projections: [
      catalogue,
      categories,
      stockLevels,
      shippingMethods,
      taxRatesReadModel,
      customers,
      carts,
      orders,
      orderTimeline,
      payments,
      sales,
      apiKeys,
      deadLetters,
      webhookDirectory,
      webhookDeliveries,
      ...extensions.flatMap(({ projections = [] }) => projections),
    ],
    queries: [
      ...catalogueQueries,
      ...categoryQueries,
      ...stockLevelQueries,
      ...shippingMethodQueries,
      ...taxRateQueries,
      ...customerQueries,
      ...cartQueries,
      ...orderQueries,
      ...timelineQueries,
      ...paymentQueries,
      ...salesQueries,
      ...apiKeyQueries,
      ...deadLetterQueries,
      ...webhookQueries,
      ...webhookDeliveryQueries,
      ...openWorkQueries(openWork(jobs)),
      ...extensions.flatMap(({ queries = [] }) => queries),
    ],
    processes: [
      placeOrder({ paymentWindowMs }),
      fulfilOrder,
      settlePayment,
      requestWebhookDeliveries(deliverable),
      ...extensions.flatMap(({ processes = [] }) => processes),
    ],
    jobs,
  }
  assertFits(extensions, extended, scopes)
  return extended
}

/** The shop for those who only read: its work reaches nothing. */
export function forReading(extensions: readonly Extension[]): Shop {
  return shop(
    {
      gateways: [],
      vault: { forget: async () => {} },
      credentials: { forget: async () => {} },
      open: async (_schema, documents) => documents,
      webhooks: {
        gateway: { allowsPrivate: false, send: async () => ({ kind: 'unanswered', code: 'not-sent' }) },
        store: { readStream: async function* () {} },
        vault: { secret: async () => new Uint8Array() },
        tokenOf: String,
        disableAfterMs: 0,
        clock: { now: () => 0, monotonic: () => 0 },
      },
      paymentWindowMs: 0,
    },
    extensions,
  )
}
