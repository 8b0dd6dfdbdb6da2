// Made by `npm run client` from the OpenAPI document: do not edit.

export interface paths {
    readonly "/v1/gateways/{gateway}/callbacks": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Receive a callback of a payment gateway
         * @description For gateways alone, which sign what they send; the body is as each gateway makes it. Safe twice.
         */
        readonly post: operations["receiveGatewayCallback"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List and search products
         * @description Products that have a price in the currency. Prices are compared by the lowest of a product. A search finds products that have all its words in title, SKU, titles of variants or description, the last word also as the beginning of a word of all but the description; the best matches come first. Where all of several words, or the only one with `sort`, are words of more than two thousand products, the two thousand best matches of the longest are considered. A filter examines a bounded number of products, so that a page may be short and still have a next one.
         */
        readonly get: operations["listProducts"];
        readonly put?: never;
        /**
         * Create a product
         * @description With its first variants, and visible at once if `publish` is true.
         */
        readonly post: operations["createProduct"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/texts": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Change the texts of a product
         * @description Replaces the texts of all languages.
         */
        readonly post: operations["changeProductTexts"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/images": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Change the pictures of a product */
        readonly post: operations["changeProductImages"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/categories": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Put a product into categories */
        readonly post: operations["categoriseProduct"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/tax-category": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Change how a product is taxed
         * @description Orders that were placed before keep their tax.
         */
        readonly post: operations["changeProductTaxCategory"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/attributes": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Change the shop's own values of a product */
        readonly post: operations["changeProductAttributes"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/variants": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Add a variant to a product */
        readonly post: operations["addVariant"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/prices": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Change the prices of a variant
         * @description Orders that were placed before keep their prices.
         */
        readonly post: operations["changeVariantPrices"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/remove-variant": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Remove a variant from a product
         * @description Its SKU stays reserved for this product.
         */
        readonly post: operations["removeVariant"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/publish": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Show a product in the shop */
        readonly post: operations["publishProduct"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}/unpublish": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Hide a product from the shop */
        readonly post: operations["unpublishProduct"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/categories": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List categories, each behind the one that it is within */
        readonly get: operations["listCategories"];
        readonly put?: never;
        /** Create a category */
        readonly post: operations["createCategory"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/categories/{categoryId}/rename": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Change the titles of a category */
        readonly post: operations["renameCategory"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/stock-items/{sku}/receive": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Receive goods into stock
         * @description The same reference again is the same delivery and changes nothing.
         */
        readonly post: operations["receiveStock"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/stock-items/{sku}/adjust": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Correct the stock after counting
         * @description The same reference again is the same correction and changes nothing.
         */
        readonly post: operations["adjustStock"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/stock-items/{sku}/reserve": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Reserve stock for something outside the shop
         * @description Orders of the shop reserve by themselves. The same reservation again changes nothing.
         */
        readonly post: operations["reserveStock"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/stock-items/{sku}/release": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Release a reservation */
        readonly post: operations["releaseReservation"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/stock-items/{sku}/commit": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Take reserved pieces out of the house */
        readonly post: operations["commitReservation"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/shipping-methods/{method}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        /** Offer a shipping method, or change its terms */
        readonly put: operations["offerShippingMethod"];
        readonly post?: never;
        /** Stop offering a shipping method */
        readonly delete: operations["withdrawShippingMethod"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/tax-rates/{country}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read the tax rates of a country */
        readonly get: operations["getTaxRates"];
        /**
         * Set the rate of a tax category in a country
         * @description Prices include tax, so this changes what is paid to the tax office, not what customers pay.
         */
        readonly put: operations["setTaxRate"];
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Register a customer
         * @description The e-mail address must not be in use by another customer.
         */
        readonly post: operations["registerCustomer"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers/{customerId}/rename": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Change the name of a customer */
        readonly post: operations["renameCustomer"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers/{customerId}/addresses": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Save an address
         * @description Replaces the address with this id, if there is one.
         */
        readonly post: operations["saveAddress"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers/{customerId}/remove-address": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Remove an address */
        readonly post: operations["removeAddress"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers/{customerId}/forget": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Forget a person
         * @description Deletes the key that the person's data is encrypted with, in every event and read model at once. It can't be undone. Orders and figures stay. Works for guests, too.
         */
        readonly post: operations["forgetCustomer"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List the shopper's own open carts, newest first */
        readonly get: operations["listOwnCarts"];
        readonly put?: never;
        /** Open a cart */
        readonly post: operations["openCart"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts/{cartId}/lines": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Put something into a cart
         * @description Adds to the quantity if it is in the cart already.
         */
        readonly post: operations["addCartLine"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts/{cartId}/quantity": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Change how many pieces of something are in a cart */
        readonly post: operations["changeCartLineQuantity"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts/{cartId}/remove-line": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Take something out of a cart */
        readonly post: operations["removeCartLine"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts/{cartId}/address": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Say where the goods go, and where to write to */
        readonly post: operations["setCartAddress"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts/{cartId}/shipping": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Choose how the goods are sent */
        readonly post: operations["chooseCartShipping"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts/{cartId}/checkout": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Place the order
         * @description Fixes all prices and taxes as they are now and places the order, whose id the cart tells. Stock is reserved next, then the order waits for its payment. With `Prefer: wait=5` the answer comes when the stock is reserved or refused.
         */
        readonly post: operations["checkOut"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}/cancel": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cancel an order of which nothing has been shipped
         * @description What was paid is paid back, and the stock is released.
         */
        readonly post: operations["cancelOrder"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}/ship": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Ship an order, whole or in parts */
        readonly post: operations["shipOrder"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}/deliver": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Record that a shipment has arrived */
        readonly post: operations["deliverShipment"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}/refund": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Pay an order back, whole or in parts
         * @description Pays back exactly what was paid for these pieces, tax included, through the gateway that took the money. With `Prefer: wait=5` the answer comes when the gateway has paid it back or refused.
         */
        readonly post: operations["refundOrder"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/import": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Import an order of another system
         * @description As it was placed, paid and shipped there; `Daybook-Occurred-At` says when. It starts no process.
         */
        readonly post: operations["importOrder"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}/import-refund": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Import a refund that was paid elsewhere */
        readonly post: operations["importRefund"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}/pay": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Pay an order
         * @description With a token that the gateway gave for the card. With `Prefer: wait=5` the answer comes when the payment has succeeded or failed.
         */
        readonly post: operations["payOrder"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/payments/{paymentId}/refund": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Pay back a payment of which its order knows nothing
         * @description One that had failed and was taken all the same gives itself back; where that has failed, all that is left of it is given back anew. Refund the order in all other cases.
         */
        readonly post: operations["refundPayment"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/api-keys": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** API keys, the newest first */
        readonly get: operations["listApiKeys"];
        readonly put?: never;
        /**
         * Register an API key
         * @description The caller makes the secret and sends only its hash, so that no server ever sees it. `daybook keys create` does both. A key grants only scopes that it has.
         */
        readonly post: operations["createApiKey"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/api-keys/{keyId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /** Revoke an API key */
        readonly delete: operations["revokeApiKey"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/dead-letters/{deadLetterId}/retry": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Try again what was set aside
         * @description A job gets all its tries again; a process manager reacts to the event again, on what is so now.
         */
        readonly post: operations["retryDeadLetter"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/dead-letters/{deadLetterId}/discard": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Discard what was set aside
         * @description Nobody tries it again, and what waits for it is not told: see to it by hand. Who discarded it and why is kept in the log. What has to be done (`mustBeDone`), such as forgetting somebody, is refused with 409: retry it.
         */
        readonly post: operations["discardDeadLetter"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Webhooks, the oldest first */
        readonly get: operations["listWebhooks"];
        readonly put?: never;
        /**
         * Have events sent to another program
         * @description From now on. Messages are signed by Standard Webhooks; `GET /v1/webhooks/{webhookId}/secret` shows by what. They hold no personal data, which is null in them.
         */
        readonly post: operations["createWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/change": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Change what is sent, or where */
        readonly post: operations["changeWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/disable": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Stop sending
         * @description What waits to be sent is given up; what happens meanwhile is not sent later.
         */
        readonly post: operations["disableWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/enable": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Send again what happens from now on */
        readonly post: operations["enableWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/rotate-secret": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Sign with another secret
         * @description For a day the one before signs, too, so that the receiver has time to take the new one.
         */
        readonly post: operations["rotateWebhookSecret"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A webhook */
        readonly get: operations["getWebhook"];
        readonly put?: never;
        readonly post?: never;
        /** Stop sending for good */
        readonly delete: operations["deleteWebhook"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/test": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Send a test message
         * @description Once, without retries. With `Prefer: wait=20` the answer comes when it is delivered or has failed.
         */
        readonly post: operations["testWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhook-deliveries/{deliveryId}/redeliver": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Send a message again
         * @description At once, and if that fails with all retries; under the id that it had.
         */
        readonly post: operations["redeliverWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/{productId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read a product with its variants, prices and what is available */
        readonly get: operations["getProduct"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/products/by-slug/{slug}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read a product by its readable name */
        readonly get: operations["getProductBySlug"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/admin/products": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List all products, published or not, with their texts in all languages */
        readonly get: operations["listAllProducts"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/admin/products/{productId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read a product, published or not, with its texts in all languages */
        readonly get: operations["getAnyProduct"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/categories/{categoryId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read a category */
        readonly get: operations["getCategory"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/stock-levels/{sku}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Stock of a SKU */
        readonly get: operations["getStockLevel"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/stock-levels": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Stock of all SKUs
         * @description By SKU, or the lowest availability first. Low stock: `maxAvailable=5`. What is combined is filtered: a page may then be short and still have a next one.
         */
        readonly get: operations["listStockLevels"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/shipping-methods": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List the ways to send goods to a country, with their prices in a currency */
        readonly get: operations["listShippingMethods"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/admin/shipping-methods": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List the ways to send goods with all their terms */
        readonly get: operations["listOfferedShippingMethods"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/tax-rates": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List the tax rates of all countries */
        readonly get: operations["listTaxRates"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers/{customerId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A customer */
        readonly get: operations["getCustomer"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/admin/customers": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Customers, those who came last first */
        readonly get: operations["listCustomers"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/carts/{cartId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read a cart */
        readonly get: operations["getCart"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** An order */
        readonly get: operations["getOrder"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** My orders, the newest first */
        readonly get: operations["listOwnOrders"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/admin/orders": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * All orders, the newest first
         * @description Filters can be combined. Where several leave little, a page may be short and still have a next one.
         */
        readonly get: operations["listOrders"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/orders/{orderId}/timeline": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * All that happened to an order, the first first
         * @description Events of the order itself, of its payments and of the stock that was reserved for it.
         */
        readonly get: operations["getOrderTimeline"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/payments/{paymentId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A payment */
        readonly get: operations["getPayment"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/payments": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Payments, the newest first */
        readonly get: operations["listPayments"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/analytics/sales": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Revenue, orders, units and average order value by hour, day or month
         * @description A sale is an order that has been paid, and counts at the time when it was placed. What is given back counts at the time of the refund: it lowers the revenue of that time, and leaves `orders`, `units` and `gross` as they were. Revenue is the price of goods, tax included; shipping stands beside it. Days are those of the time zone. Times without a sale are shown, too.
         */
        readonly get: operations["salesSeries"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/analytics/sales/by-product": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Products with the highest revenue
         * @description A sale is an order that has been paid, and counts at the time when it was placed. What is given back counts at the time of the refund: it lowers the revenue of that time, and leaves `orders`, `units` and `gross` as they were. Revenue is the price of goods, tax included; shipping stands beside it. Days are those of the time zone. Sorted by revenue, the highest first; for at most 731 days.
         */
        readonly get: operations["salesByProduct"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/analytics/sales/by-category": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Categories with the highest revenue
         * @description A sale is an order that has been paid, and counts at the time when it was placed. What is given back counts at the time of the refund: it lowers the revenue of that time, and leaves `orders`, `units` and `gross` as they were. Revenue is the price of goods, tax included; shipping stands beside it. Days are those of the time zone. A product counts in each category that it was in when it was ordered, outer ones included. Sorted by revenue, the highest first; for at most 731 days.
         */
        readonly get: operations["salesByCategory"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/analytics/sales/by-country": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Countries with the highest revenue
         * @description A sale is an order that has been paid, and counts at the time when it was placed. What is given back counts at the time of the refund: it lowers the revenue of that time, and leaves `orders`, `units` and `gross` as they were. Revenue is the price of goods, tax included; shipping stands beside it. Days are those of the time zone. Sorted by revenue, the highest first; for at most 731 days.
         */
        readonly get: operations["salesByCountry"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/dead-letters": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** What failed for good and is neither retried nor discarded, the newest first */
        readonly get: operations["listDeadLetters"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/dead-letters/{deadLetterId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** One thing that failed for good and is neither retried nor discarded */
        readonly get: operations["getDeadLetter"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/deliveries": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** What was sent to a webhook, the newest first */
        readonly get: operations["listWebhookDeliveries"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhook-deliveries/{deliveryId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A message that was sent, with its attempts */
        readonly get: operations["getWebhookDelivery"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/open-work": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Work that is asked for and not settled, what is due first */
        readonly get: operations["listOpenWork"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/register": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Ask for an account
         * @description Sends a mail with a link to confirm the address; the password is chosen there, by whoever reads the mail. The answer is the same for every address: who has an account already is told so by mail.
         */
        readonly post: operations["registerAccount"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/confirm": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Confirm an e-mail address and choose a password
         * @description Opens the account and begins a session. A customer whom the shop has registered under this address before gets the account, with all orders. With `guestToken` the open cart of the guest is taken along.
         */
        readonly post: operations["confirmAccount"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/log-in": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Log in
         * @description Begins a session. With `guestToken` the open cart of the guest is taken along. After 10 tries with a wrong password in 15 minutes the account is locked for a while, which doubles with each further try; so is a network address after 100.
         */
        readonly post: operations["logIn"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/forgot-password": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Ask for a new password
         * @description Sends a mail with a link, if the address has an account. The answer is the same for every address.
         */
        readonly post: operations["forgotPassword"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/reset-password": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Choose a new password by a link of a mail
         * @description Ends all sessions, unlocks the account and begins a session. The link is good once. A mail says that the password was changed.
         */
        readonly post: operations["resetPassword"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/change-password": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Change the password
         * @description Ends all other sessions of the customer. A mail says that the password was changed.
         */
        readonly post: operations["changePassword"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/refresh": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Get the next access token
         * @description A refresh token is good once: the answer has the next one. Sent again within 30 seconds, while its successor was not used, it gets the same answer, for an answer can be lost; later it ends the session, for then somebody else has it, too.
         */
        readonly post: operations["refreshSession"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/log-out": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Log out
         * @description Ends the session of the access token, or of a refresh token that is sent; with `everywhere` all sessions of the customer, for which the access token is needed. Access tokens that are left are refused from then on, by the other processes of a cluster within about a second; while one can’t find out that the session has ended, it accepts them until they expire.
         */
        readonly post: operations["logOut"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/sessions": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Where the customer has logged in, used last first */
        readonly get: operations["listSessions"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/sessions/{sessionId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /** End a session */
        readonly delete: operations["endSession"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/me": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Who the token stands for */
        readonly get: operations["whoAmI"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/take-cart": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Take a guest's cart along
         * @description What a log-in does with `guestToken`; for those who log in elsewhere, and where that could not be done.
         */
        readonly post: operations["takeGuestCart"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/accounts/claim-profile": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Register the customer of an outside token
         * @description For shops whose customers log in elsewhere (DAYBOOK_ISSUER). The token must carry `email`, `email_verified` and, unless it is sent, `name`. Asked twice it changes nothing.
         */
        readonly post: operations["claimProfile"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers/{customerId}/export": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * All that is known of a person
         * @description Profile, addresses, sessions and open carts, and orders with what happened to them and their payments. Orders come in pages: go on with `next` as `cursor` until it is null. Works for guests, too, with their token.
         */
        readonly get: operations["exportCustomer"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/guest-tokens": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Begin to shop as a guest
         * @description Keep the token: carts and orders of the guest can be seen with it alone.
         */
        readonly post: operations["issueGuestToken"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/customers/{customerId}/tokens": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Issue a token for a registered customer
         * @description For the shop’s own log-in, after it has made sure who it is: an access token, good for 15 minutes if the shop has not set another time. Ask for another one when it has expired. The scope lets a key act as any customer.
         */
        readonly post: operations["issueCustomerToken"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/projections": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** See how far the read models are */
        readonly get: operations["listProjections"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/projections/{name}/rebuild": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Build a read model anew from the log
         * @description In the background: the old one answers until the new one has caught up, and then they are swapped.
         */
        readonly post: operations["rebuildProjection"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/projections/{name}/skip": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Let a stopped read model go on behind the event that stopped it
         * @description What the event said is then missing from it, until its definition is mended and it is built anew.
         */
        readonly post: operations["skipPoisonEvent"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/backup": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** See how far the latest backup is */
        readonly get: operations["showBackup"];
        readonly put?: never;
        /**
         * Take a backup of the running shop
         * @description In the background: what had happened when it began is in it. Only on the machine of the server, with the token that it leaves there; `daybook backup` does that.
         */
        readonly post: operations["takeBackup"];
        /**
         * Stop the backup that is under way
         * @description Nothing is left of it. Where none is under way, nothing happens.
         */
        readonly delete: operations["stopBackup"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A problem (RFC 9457) */
        readonly Problem: {
            /**
             * @description Always this; switch on `code`
             * @example about:blank
             * @constant
             */
            readonly type: "about:blank";
            /**
             * @description The status in words
             * @example Conflict
             */
            readonly title: string;
            /**
             * @description The status
             * @example 409
             */
            readonly status: number;
            /**
             * @description What went wrong: stable, in kebab-case
             * @example order-already-shipped
             */
            readonly code: string;
            /**
             * @description One sentence for a person, which says what to do
             * @example The order has been shipped already. Ask for a return instead.
             */
            readonly detail: string;
            /**
             * @description What is wrong with the request, place by place
             * @example [
             *       {
             *         "detail": "There is no such field.",
             *         "pointer": "#/quantity"
             *       }
             *     ]
             */
            readonly errors?: readonly {
                /**
                 * @description What is wrong there
                 * @example There is no such field.
                 */
                readonly detail: string;
                /**
                 * @description Where in the body: a JSON pointer as a URI fragment
                 * @example #/quantity
                 */
                readonly pointer?: string;
                /**
                 * @description Parameter of path or query string
                 * @example limit
                 */
                readonly parameter?: string;
                /**
                 * @description Header of the request
                 * @example If-Match
                 */
                readonly header?: string;
            }[];
            /**
             * @description Facts about it, by code
             * @example {
             *       "revision": 4
             *     }
             */
            readonly details?: {
                readonly [key: string]: unknown;
            };
            /**
             * @description Names the request in the logs
             * @example 4bf92f35-77b3-4da6-a3ce-929d0e0e4736
             */
            readonly correlationId: string;
        };
        /** @description A command was accepted */
        readonly Accepted: {
            /**
             * @description Id of what the command was for
             * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
             */
            readonly id: string;
            /**
             * @description Its revision now, which `If-Match` takes
             * @example 3
             */
            readonly revision: number;
            /**
             * @description To be sent with queries as `Daybook-Position`, so that they show what this has done
             * @example Zk3vQ0pS1w.2n9c
             */
            readonly position: string;
        };
    };
    responses: {
        /** @description It could not be read: bad JSON, a bad header, a missing `Idempotency-Key`, a bad cursor. */
        readonly Problem400: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A token is missing, or is not good. */
        readonly Problem401: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly "WWW-Authenticate": components["headers"]["Authenticate"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The token may not do that. */
        readonly Problem403: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such thing, or it is somebody else’s. */
        readonly Problem404: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A rule of the shop does not allow it; `code` says which. */
        readonly Problem409: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The read model was rebuilt since the cursor was made. Begin again at the first page. */
        readonly Problem410: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description It is not at the revision of `If-Match` any more. */
        readonly Problem412: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description It is too large. */
        readonly Problem413: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not `application/json`. */
        readonly Problem415: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something that was sent is not as it should be, or the `Idempotency-Key` was used before. */
        readonly Problem422: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many requests. */
        readonly Problem429: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly "Retry-After": components["headers"]["RetryAfter"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description It can’t be answered now; the same request may succeed later. */
        readonly Problem503: {
            headers: {
                readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                readonly "Retry-After": components["headers"]["RetryAfter"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
        readonly IdempotencyKey: string;
        /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
        readonly RequiredIdempotencyKey: string;
        /** @description Only at this revision; otherwise 412. */
        readonly IfMatch: string;
        /** @description With `wait=N`, answers when the outcome is there, or 202 after N seconds, at most 30. */
        readonly Prefer: string;
        /** @description When it happened, for history that is brought in. Only with the scope `import`. */
        readonly OccurredAt: string;
        /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
        readonly CorrelationId: string;
        /** @description Answers only once what is read has come so far; otherwise 503. */
        readonly Position: string;
    };
    requestBodies: never;
    headers: {
        /** @description To be sent with queries, so that they show what this has done. */
        readonly Position: string;
        /** @description Names the request in the logs. */
        readonly CorrelationId: string;
        /** @description The revision, for `If-Match`; only of single documents. */
        readonly ETag: string;
        /** @description Where it can be read. */
        readonly Location: string;
        /** @description Sent if the outcome came in time. */
        readonly PreferenceApplied: string;
        /** @description When to send it again. */
        readonly RetryAfter: string;
        /** @description What kind of token is wanted. */
        readonly Authenticate: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly receiveGatewayCallback: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Name of the gateway */
                readonly gateway: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": Record<string, never>;
            };
        };
        readonly responses: {
            /** @description It is stored, and will be acted on. */
            readonly 204: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 413: components["responses"]["Problem413"];
            readonly 422: components["responses"]["Problem422"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listProducts: {
        readonly parameters: {
            readonly query: {
                /** @description Only products in it or within it */
                readonly category?: string;
                /** @description What to search for */
                readonly q?: string;
                /** @description ISO 4217 currency code */
                readonly currency: string;
                /** @description Language of the texts; where there is none in it, the nearest is shown */
                readonly language?: string;
                /** @description Lowest price, in minor units */
                readonly minPrice?: number;
                /** @description Highest price, in minor units */
                readonly maxPrice?: number;
                /** @description Only products that can be ordered, or only those that cannot */
                readonly available?: string;
                /** @description Order; by default the best matches or the newest first */
                readonly sort?: "newest" | "price-ascending" | "price-descending" | "title";
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Id of the product
                             * @example blue-teapot
                             */
                            readonly id: string;
                            /**
                             * @description Readable name for addresses of pages, unique in the shop
                             * @example blue-teapot
                             */
                            readonly slug: string;
                            /**
                             * @description Categories that it is in
                             * @example [
                             *       "teapots"
                             *     ]
                             */
                            readonly categoryIds: readonly string[];
                            /**
                             * @description The main picture
                             * @example {
                             *       "url": "https://example.com/teapot.jpg",
                             *       "alt": "A blue teapot"
                             *     }
                             */
                            readonly image: {
                                /**
                                 * Format: uri
                                 * @description Address of the picture
                                 * @example https://example.com/teapot.jpg
                                 */
                                readonly url: string;
                                /**
                                 * @description What the picture shows
                                 * @example A blue teapot
                                 */
                                readonly alt: string;
                            } | null;
                            /**
                             * Format: date-time
                             * @description When it was created
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly createdAt: string;
                            /**
                             * @description Language of the texts
                             * @example en
                             */
                            readonly language: string;
                            /**
                             * @description Title in that language
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description Lowest price of its variants
                             * @example 2499
                             */
                            readonly priceFrom: number;
                            /**
                             * @description Highest price of its variants
                             * @example 2999
                             */
                            readonly priceTo: number;
                            /**
                             * @description Whether a variant of it can be ordered
                             * @example true
                             */
                            readonly available: boolean;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly createProduct: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Readable name for addresses of pages, unique in the shop
                     * @example blue-teapot
                     */
                    readonly slug: string;
                    /**
                     * @description Texts by language
                     * @example {
                     *       "en": {
                     *         "title": "Blue teapot",
                     *         "description": "Holds one litre."
                     *       }
                     *     }
                     */
                    readonly texts: {
                        readonly [key: string]: {
                            /**
                             * @description Short text
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * @description Longer text
                             * @example Holds one litre.
                             */
                            readonly description: string;
                        };
                    };
                    /**
                     * @description Group of goods that are taxed alike
                     * @default standard
                     * @example standard
                     */
                    readonly taxCategory?: string;
                    /**
                     * @description The shop's own values, at most 50
                     * @default {}
                     * @example {
                     *       "material": "porcelain"
                     *     }
                     */
                    readonly attributes?: {
                        readonly [key: string]: string | number | boolean;
                    };
                    /**
                     * @description Categories that it is in
                     * @default []
                     * @example [
                     *       "teapots"
                     *     ]
                     */
                    readonly categoryIds?: readonly string[];
                    /**
                     * @description Pictures, the main one first
                     * @default []
                     */
                    readonly images?: readonly {
                        /**
                         * Format: uri
                         * @description Address of the picture
                         * @example https://example.com/teapot.jpg
                         */
                        readonly url: string;
                        /**
                         * @description What the picture shows
                         * @example A blue teapot
                         */
                        readonly alt: string;
                    }[];
                    /**
                     * @description First variants
                     * @default []
                     */
                    readonly variants?: readonly {
                        /**
                         * @description Stock keeping unit: names one variant of a product; case counts
                         * @example TEAPOT-BLUE
                         */
                        readonly sku: string;
                        /**
                         * @description What sets the variant apart, by language
                         * @example {
                         *       "en": "Large"
                         *     }
                         */
                        readonly titles?: {
                            readonly [key: string]: string;
                        };
                        /**
                         * @description Price of one piece by currency, in minor units, tax included
                         * @example {
                         *       "EUR": 2499,
                         *       "GBP": 2199
                         *     }
                         */
                        readonly prices: {
                            readonly [key: string]: number;
                        };
                    }[];
                    /**
                     * @description Show it in the shop at once
                     * @default false
                     * @example true
                     */
                    readonly publish?: boolean;
                    /**
                     * @description Identifier, if the shop chooses it itself
                     * @example blue-teapot
                     */
                    readonly id?: string;
                };
            };
        };
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changeProductTexts: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Texts by language
                     * @example {
                     *       "en": {
                     *         "title": "Blue teapot",
                     *         "description": "Holds one litre."
                     *       }
                     *     }
                     */
                    readonly texts: {
                        readonly [key: string]: {
                            /**
                             * @description Short text
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * @description Longer text
                             * @example Holds one litre.
                             */
                            readonly description: string;
                        };
                    };
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changeProductImages: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** @description Pictures, the main one first */
                    readonly images: readonly {
                        /**
                         * Format: uri
                         * @description Address of the picture
                         * @example https://example.com/teapot.jpg
                         */
                        readonly url: string;
                        /**
                         * @description What the picture shows
                         * @example A blue teapot
                         */
                        readonly alt: string;
                    }[];
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly categoriseProduct: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Categories that it is in
                     * @example [
                     *       "teapots"
                     *     ]
                     */
                    readonly categoryIds: readonly string[];
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changeProductTaxCategory: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Group of goods that are taxed alike
                     * @example standard
                     */
                    readonly taxCategory: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changeProductAttributes: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description The shop's own values, at most 50
                     * @example {
                     *       "material": "porcelain"
                     *     }
                     */
                    readonly attributes: {
                        readonly [key: string]: string | number | boolean;
                    };
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly addVariant: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Stock keeping unit: names one variant of a product; case counts
                     * @example TEAPOT-BLUE
                     */
                    readonly sku: string;
                    /**
                     * @description What sets the variant apart, by language
                     * @example {
                     *       "en": "Large"
                     *     }
                     */
                    readonly titles?: {
                        readonly [key: string]: string;
                    };
                    /**
                     * @description Price of one piece by currency, in minor units, tax included
                     * @example {
                     *       "EUR": 2499,
                     *       "GBP": 2199
                     *     }
                     */
                    readonly prices: {
                        readonly [key: string]: number;
                    };
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changeVariantPrices: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Stock keeping unit: names one variant of a product; case counts
                     * @example TEAPOT-BLUE
                     */
                    readonly sku: string;
                    /**
                     * @description Price of one piece by currency, in minor units, tax included
                     * @example {
                     *       "EUR": 2499,
                     *       "GBP": 2199
                     *     }
                     */
                    readonly prices: {
                        readonly [key: string]: number;
                    };
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly removeVariant: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Stock keeping unit: names one variant of a product; case counts
                     * @example TEAPOT-BLUE
                     */
                    readonly sku: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly publishProduct: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly unpublishProduct: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listCategories: {
        readonly parameters: {
            readonly query?: {
                /** @description Language of the texts; where there is none in it, the nearest is shown */
                readonly language?: string;
                /** @description Only those directly within this one */
                readonly parent?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Id of the category
                             * @example teapots
                             */
                            readonly id: string;
                            /**
                             * @description Readable name for addresses of pages, unique in the shop
                             * @example blue-teapot
                             */
                            readonly slug: string;
                            /**
                             * @description Text by language
                             * @example {
                             *       "en": "Teapots",
                             *       "de": "Teekannen"
                             *     }
                             */
                            readonly titles: {
                                readonly [key: string]: string;
                            };
                            /**
                             * @description Ids from the outermost category to this one
                             * @example [
                             *       "kitchen",
                             *       "teapots"
                             *     ]
                             */
                            readonly path: readonly string[];
                            /**
                             * @description Category that it is within; null for an outermost
                             * @example kitchen
                             */
                            readonly parentId: string | null;
                            /**
                             * @description Revision of the category, for `If-Match`
                             * @example 0
                             */
                            readonly revision: number;
                            /**
                             * @description Title in the language
                             * @example Teapots
                             */
                            readonly title: string;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly createCategory: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Readable name for addresses of pages, unique in the shop
                     * @example blue-teapot
                     */
                    readonly slug: string;
                    /**
                     * @description Text by language
                     * @example {
                     *       "en": "Teapots",
                     *       "de": "Teekannen"
                     *     }
                     */
                    readonly titles: {
                        readonly [key: string]: string;
                    };
                    /**
                     * @description Category that this one is within
                     * @example kitchen
                     */
                    readonly parentId?: string;
                    /**
                     * @description Identifier, if the shop chooses it itself
                     * @example blue-teapot
                     */
                    readonly id?: string;
                };
            };
        };
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly renameCategory: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly categoryId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Text by language
                     * @example {
                     *       "en": "Teapots",
                     *       "de": "Teekannen"
                     *     }
                     */
                    readonly titles: {
                        readonly [key: string]: string;
                    };
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly receiveStock: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly sku: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Number of pieces
                     * @example 2
                     */
                    readonly quantity: number;
                    /**
                     * @description Business reference by which a repeated movement is known, such as a delivery note
                     * @example DN-2026-0042
                     */
                    readonly reference: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly adjustStock: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly sku: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Pieces found (above zero) or lost (below)
                     * @example -2
                     */
                    readonly change: number;
                    /**
                     * @description Why, for people
                     * @example Ordered the wrong size
                     */
                    readonly reason: string;
                    /**
                     * @description Business reference by which a repeated movement is known, such as a delivery note
                     * @example DN-2026-0042
                     */
                    readonly reference: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly reserveStock: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly sku: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Names the reservation
                     * @example exhibition-2026
                     */
                    readonly reservationId: string;
                    /**
                     * @description Number of pieces
                     * @example 2
                     */
                    readonly quantity: number;
                    /**
                     * Format: date-time
                     * @description When the reservation was first asked for; the same whenever it is asked for again
                     * @example 2026-01-15T09:30:00.000Z
                     */
                    readonly requestedAt?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly releaseReservation: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly sku: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Names the reservation
                     * @example exhibition-2026
                     */
                    readonly reservationId: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly commitReservation: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly sku: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Names the reservation
                     * @example exhibition-2026
                     */
                    readonly reservationId: string;
                    /**
                     * @description Number of pieces
                     * @example 2
                     */
                    readonly quantity: number;
                    /**
                     * @description Business reference by which a repeated movement is known, such as a delivery note
                     * @example DN-2026-0042
                     */
                    readonly reference: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly offerShippingMethod: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly method: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Text by language
                     * @example {
                     *       "en": "Teapots",
                     *       "de": "Teekannen"
                     *     }
                     */
                    readonly titles: {
                        readonly [key: string]: string;
                    };
                    /**
                     * @description Price of a shipment by currency, in minor units, tax included
                     * @example {
                     *       "EUR": 490
                     *     }
                     */
                    readonly prices: {
                        readonly [key: string]: number;
                    };
                    /**
                     * @description Where it goes; empty for everywhere
                     * @default []
                     * @example [
                     *       "DE",
                     *       "AT"
                     *     ]
                     */
                    readonly countries?: readonly string[];
                    /**
                     * @description Group of goods that are taxed alike
                     * @default standard
                     * @example standard
                     */
                    readonly taxCategory?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly withdrawShippingMethod: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly method: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getTaxRates: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown */
                readonly country: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                         * @example DE
                         */
                        readonly country: string;
                        /**
                         * @description Rates by tax category, in hundredths of a percent; what has none is not taxed
                         * @example {
                         *       "standard": 1900,
                         *       "reduced": 700
                         *     }
                         */
                        readonly rates: {
                            readonly [key: string]: number;
                        };
                        /**
                         * @description Revision of the country's rates, for `If-Match`
                         * @example 1
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly setTaxRate: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly country: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Group of goods that are taxed alike
                     * @example standard
                     */
                    readonly taxCategory: string;
                    /**
                     * @description Tax rate in hundredths of a percent
                     * @example 1900
                     */
                    readonly rate: number;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly registerCustomer: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: email
                     * @description E-mail address
                     * @example ada@example.com
                     */
                    readonly email: string;
                    /**
                     * @description Full name
                     * @example Ada Lovelace
                     */
                    readonly name: string;
                    /**
                     * @description The shop's own values of the customer, at most 50; personal like the name
                     * @default {}
                     * @example {
                     *       "newsletter": true
                     *     }
                     */
                    readonly attributes?: {
                        readonly [key: string]: string | number | boolean;
                    };
                    /**
                     * @description Identifier, if the shop chooses it itself
                     * @example 17850
                     */
                    readonly id?: string;
                };
            };
        };
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly renameCustomer: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly customerId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Full name
                     * @example Ada Lovelace
                     */
                    readonly name: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly saveAddress: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly customerId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Names the address within the customer
                     * @example home
                     */
                    readonly addressId: string;
                    /**
                     * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                     * @example DE
                     */
                    readonly country: string;
                    /**
                     * @description Postal address
                     * @example {
                     *       "name": "Ada Lovelace",
                     *       "line1": "12 St James Square",
                     *       "city": "London",
                     *       "postalCode": "SW1Y 4JH"
                     *     }
                     */
                    readonly address: {
                        /**
                         * @description Who receives it
                         * @example Ada Lovelace
                         */
                        readonly name: string;
                        /**
                         * @description Street and number
                         * @example 12 St James Square
                         */
                        readonly line1: string;
                        /**
                         * @description Second line
                         * @example Second floor
                         */
                        readonly line2?: string;
                        /**
                         * @description City
                         * @example London
                         */
                        readonly city: string;
                        /**
                         * @description State or province
                         * @example Greater London
                         */
                        readonly region?: string;
                        /**
                         * @description Postal code
                         * @example SW1Y 4JH
                         */
                        readonly postalCode: string;
                        /**
                         * @description Telephone number
                         * @example +44 20 7946 0000
                         */
                        readonly phone?: string;
                    };
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly removeAddress: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly customerId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Names the address within the customer
                     * @example home
                     */
                    readonly addressId: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly forgetCustomer: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly customerId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listOwnCarts: {
        readonly parameters: {
            readonly query?: {
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Id of the cart
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Whose cart it is
                             * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly customerId: string;
                            /**
                             * @description Whether the customer has an account
                             * @example guest
                             * @enum {string}
                             */
                            readonly buyer: "member" | "guest";
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description Language tag (BCP 47)
                             * @example en
                             */
                            readonly language: string;
                            /** @description Lines in the order in which they were added */
                            readonly lines: readonly {
                                /**
                                 * @description Stock keeping unit: names one variant of a product; case counts
                                 * @example TEAPOT-BLUE
                                 */
                                readonly sku: string;
                                /**
                                 * @description Identifier
                                 * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly productId: string;
                                /**
                                 * @description Short text
                                 * @example Blue teapot
                                 */
                                readonly title: string;
                                /**
                                 * @description Whole minor units of the currency, such as cents
                                 * @example 1999
                                 */
                                readonly unitPrice: number;
                                /**
                                 * @description Number of pieces
                                 * @example 2
                                 */
                                readonly quantity: number;
                                /**
                                 * @description Price of all pieces, tax included
                                 * @example 4998
                                 */
                                readonly amount: number;
                            }[];
                            /**
                             * @description Where it goes; null as yet
                             * @example DE
                             */
                            readonly country: string | null;
                            /**
                             * @description E-mail address
                             * @example ada@example.com
                             */
                            readonly email: string | null;
                            /**
                             * @description Postal address
                             * @example {
                             *       "name": "Ada Lovelace",
                             *       "line1": "12 St James Square",
                             *       "city": "London",
                             *       "postalCode": "SW1Y 4JH"
                             *     }
                             */
                            readonly shippingAddress: {
                                /**
                                 * @description Who receives it
                                 * @example Ada Lovelace
                                 */
                                readonly name: string;
                                /**
                                 * @description Street and number
                                 * @example 12 St James Square
                                 */
                                readonly line1: string;
                                /**
                                 * @description Second line
                                 * @example Second floor
                                 */
                                readonly line2?: string;
                                /**
                                 * @description City
                                 * @example London
                                 */
                                readonly city: string;
                                /**
                                 * @description State or province
                                 * @example Greater London
                                 */
                                readonly region?: string;
                                /**
                                 * @description Postal code
                                 * @example SW1Y 4JH
                                 */
                                readonly postalCode: string;
                                /**
                                 * @description Telephone number
                                 * @example +44 20 7946 0000
                                 */
                                readonly phone?: string;
                            } | null;
                            /**
                             * @description How it is sent; null as yet
                             * @example {
                             *       "method": "standard",
                             *       "title": "Standard",
                             *       "amount": 490
                             *     }
                             */
                            readonly shipping: {
                                /**
                                 * @description Code of a shipping method
                                 * @example standard
                                 */
                                readonly method: string;
                                /**
                                 * @description Short text
                                 * @example Blue teapot
                                 */
                                readonly title: string;
                                /**
                                 * @description Whole minor units of the currency, such as cents
                                 * @example 1999
                                 */
                                readonly amount: number;
                            } | null;
                            /**
                             * @description Sum of the lines, tax included
                             * @example 4998
                             */
                            readonly subtotal: number;
                            /**
                             * @description Lines, and shipping as far as it is chosen, tax included
                             * @example 5488
                             */
                            readonly total: number;
                            /**
                             * @description Whether it has become an order
                             * @example false
                             */
                            readonly checkedOut: boolean;
                            /**
                             * @description Order that it has become; null as yet
                             * @example null
                             */
                            readonly orderId: string | null;
                            /**
                             * Format: date-time
                             * @description When it was opened
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly openedAt: string;
                            /**
                             * Format: date-time
                             * @description When it was last changed
                             * @example 2026-01-15T09:35:00.000Z
                             */
                            readonly changedAt: string;
                            /**
                             * @description Revision of the cart, for `If-Match`
                             * @example 4
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly openCart: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description ISO 4217 currency code
                     * @example EUR
                     */
                    readonly currency: string;
                    /**
                     * @description Language tag (BCP 47)
                     * @default en
                     * @example en
                     */
                    readonly language?: string;
                };
            };
        };
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly addCartLine: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly cartId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Identifier
                     * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                     */
                    readonly productId: string;
                    /**
                     * @description Stock keeping unit: names one variant of a product; case counts
                     * @example TEAPOT-BLUE
                     */
                    readonly sku: string;
                    /**
                     * @description Number of pieces
                     * @example 2
                     */
                    readonly quantity: number;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changeCartLineQuantity: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly cartId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Stock keeping unit: names one variant of a product; case counts
                     * @example TEAPOT-BLUE
                     */
                    readonly sku: string;
                    /**
                     * @description Number of pieces
                     * @example 2
                     */
                    readonly quantity: number;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly removeCartLine: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly cartId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Stock keeping unit: names one variant of a product; case counts
                     * @example TEAPOT-BLUE
                     */
                    readonly sku: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly setCartAddress: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly cartId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                     * @example DE
                     */
                    readonly country: string;
                    /**
                     * Format: email
                     * @description E-mail address
                     * @example ada@example.com
                     */
                    readonly email: string;
                    /**
                     * @description Postal address
                     * @example {
                     *       "name": "Ada Lovelace",
                     *       "line1": "12 St James Square",
                     *       "city": "London",
                     *       "postalCode": "SW1Y 4JH"
                     *     }
                     */
                    readonly shippingAddress: {
                        /**
                         * @description Who receives it
                         * @example Ada Lovelace
                         */
                        readonly name: string;
                        /**
                         * @description Street and number
                         * @example 12 St James Square
                         */
                        readonly line1: string;
                        /**
                         * @description Second line
                         * @example Second floor
                         */
                        readonly line2?: string;
                        /**
                         * @description City
                         * @example London
                         */
                        readonly city: string;
                        /**
                         * @description State or province
                         * @example Greater London
                         */
                        readonly region?: string;
                        /**
                         * @description Postal code
                         * @example SW1Y 4JH
                         */
                        readonly postalCode: string;
                        /**
                         * @description Telephone number
                         * @example +44 20 7946 0000
                         */
                        readonly phone?: string;
                    };
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly chooseCartShipping: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly cartId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Code of a shipping method
                     * @example standard
                     */
                    readonly method: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly checkOut: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description With `wait=N`, answers when the outcome is there, or 202 after N seconds, at most 30. */
                readonly Prefer?: components["parameters"]["Prefer"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly cartId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Refuse if the total is not this any more
                     * @example 5488
                     */
                    readonly expectedTotal?: number;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly "Preference-Applied": components["headers"]["PreferenceApplied"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description Accepted; its outcome did not come in time. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly cancelOrder: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Why, for people
                     * @example Ordered the wrong size
                     */
                    readonly reason: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly shipOrder: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Identifier
                     * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                     */
                    readonly shipmentId?: string;
                    /** @description What is in the shipment; everything that is left, if absent */
                    readonly lines?: readonly {
                        /**
                         * @description Line of the order
                         * @example TEAPOT-BLUE
                         */
                        readonly lineId: string;
                        /**
                         * @description Number of pieces
                         * @example 2
                         */
                        readonly quantity: number;
                    }[];
                    /**
                     * @description Who carries it
                     * @example DHL
                     */
                    readonly carrier?: string;
                    /**
                     * @description The carrier's tracking code
                     * @example JD0146
                     */
                    readonly trackingCode?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly deliverShipment: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Identifier
                     * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                     */
                    readonly shipmentId: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly refundOrder: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description With `wait=N`, answers when the outcome is there, or 202 after N seconds, at most 30. */
                readonly Prefer?: components["parameters"]["Prefer"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Identifier
                     * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                     */
                    readonly refundId?: string;
                    /**
                     * @description Pieces to pay back
                     * @default []
                     */
                    readonly lines?: readonly {
                        /**
                         * @description Line of the order
                         * @example TEAPOT-BLUE
                         */
                        readonly lineId: string;
                        /**
                         * @description Number of pieces
                         * @example 2
                         */
                        readonly quantity: number;
                    }[];
                    /**
                     * @description Pay back what shipping cost, too
                     * @default false
                     * @example false
                     */
                    readonly shipping?: boolean;
                    /**
                     * @description Why, for people
                     * @example Ordered the wrong size
                     */
                    readonly reason: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly "Preference-Applied": components["headers"]["PreferenceApplied"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description Accepted; its outcome did not come in time. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly importOrder: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Who buys
                     * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                     */
                    readonly customerId: string;
                    /**
                     * @description Whether the customer has an account
                     * @example guest
                     * @enum {string}
                     */
                    readonly buyer: "member" | "guest";
                    /**
                     * @description ISO 4217 currency code
                     * @example EUR
                     */
                    readonly currency: string;
                    /**
                     * @description Language tag (BCP 47)
                     * @example en
                     */
                    readonly language: string;
                    /**
                     * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                     * @example DE
                     */
                    readonly country: string;
                    /**
                     * Format: email
                     * @description E-mail address
                     * @example ada@example.com
                     */
                    readonly email?: string;
                    /**
                     * @description Postal address
                     * @example {
                     *       "name": "Ada Lovelace",
                     *       "line1": "12 St James Square",
                     *       "city": "London",
                     *       "postalCode": "SW1Y 4JH"
                     *     }
                     */
                    readonly shippingAddress?: {
                        /**
                         * @description Who receives it
                         * @example Ada Lovelace
                         */
                        readonly name: string;
                        /**
                         * @description Street and number
                         * @example 12 St James Square
                         */
                        readonly line1: string;
                        /**
                         * @description Second line
                         * @example Second floor
                         */
                        readonly line2?: string;
                        /**
                         * @description City
                         * @example London
                         */
                        readonly city: string;
                        /**
                         * @description State or province
                         * @example Greater London
                         */
                        readonly region?: string;
                        /**
                         * @description Postal code
                         * @example SW1Y 4JH
                         */
                        readonly postalCode: string;
                        /**
                         * @description Telephone number
                         * @example +44 20 7946 0000
                         */
                        readonly phone?: string;
                    };
                    /** @description Lines of the order */
                    readonly lines: readonly {
                        /**
                         * @description Names the line within the order: its SKU, or a number
                         * @example TEAPOT-BLUE
                         */
                        readonly lineId: string;
                        /**
                         * @description Product
                         * @example blue-teapot
                         */
                        readonly productId: string;
                        /**
                         * @description Stock keeping unit: names one variant of a product; case counts
                         * @example TEAPOT-BLUE
                         */
                        readonly sku: string;
                        /**
                         * @description What it was called when it was ordered
                         * @example Blue teapot
                         */
                        readonly title: string;
                        /**
                         * @description Categories it was in, the outer ones included
                         * @example [
                         *       "kitchen",
                         *       "teapots"
                         *     ]
                         */
                        readonly categoryIds: readonly string[];
                        /**
                         * @description Number of pieces
                         * @example 2
                         */
                        readonly quantity: number;
                        /**
                         * @description Price of one piece, tax included
                         * @example 2499
                         */
                        readonly unitPrice: number;
                        /**
                         * @description Price of all pieces, tax included
                         * @example 4998
                         */
                        readonly amount: number;
                        /**
                         * @description Tax rate in hundredths of a percent
                         * @example 1900
                         */
                        readonly taxRate: number;
                        /**
                         * @description Tax included in the amount
                         * @example 798
                         */
                        readonly tax: number;
                        /** @description Tax of each piece, which sums up to the tax of the line */
                        readonly unitTaxes: readonly {
                            /**
                             * @description Number of pieces
                             * @example 2
                             */
                            readonly units: number;
                            /**
                             * @description Tax in the price of each of these pieces
                             * @example 399
                             */
                            readonly tax: number;
                        }[];
                    }[];
                    /** @description How the goods are sent, and what that costs */
                    readonly shipping: {
                        /**
                         * @description Code of the shipping method
                         * @example standard
                         */
                        readonly method: string;
                        /**
                         * @description What the method was called
                         * @example Standard
                         */
                        readonly title: string;
                        /**
                         * @description Price, tax included
                         * @example 490
                         */
                        readonly amount: number;
                        /**
                         * @description Tax rate in hundredths of a percent
                         * @example 1900
                         */
                        readonly taxRate: number;
                        /**
                         * @description Tax included in the amount
                         * @example 78
                         */
                        readonly tax: number;
                    };
                    /** @description Sums over the whole order */
                    readonly totals: {
                        /**
                         * @description Sum of the lines, tax included
                         * @example 4998
                         */
                        readonly items: number;
                        /**
                         * @description Price of shipping, tax included
                         * @example 490
                         */
                        readonly shipping: number;
                        /**
                         * @description Tax included in the total
                         * @example 876
                         */
                        readonly tax: number;
                        /**
                         * @description What is to be paid
                         * @example 5488
                         */
                        readonly total: number;
                    };
                    /**
                     * @description Its number there
                     * @example 536365
                     */
                    readonly number: string;
                    /**
                     * @description How it was paid elsewhere
                     * @example online-retail
                     */
                    readonly external: string;
                    /**
                     * @description Whether the goods have left
                     * @example true
                     */
                    readonly shipped: boolean;
                    /**
                     * @description Id of the order
                     * @example online-retail-536365
                     */
                    readonly id: string;
                };
            };
        };
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly importRefund: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Names the refund; the same id is the same refund
                     * @example 0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88
                     */
                    readonly refundId: string;
                    /**
                     * @description Pieces to pay back
                     * @default []
                     */
                    readonly lines?: readonly {
                        /**
                         * @description Line of the order
                         * @example TEAPOT-BLUE
                         */
                        readonly lineId: string;
                        /**
                         * @description Number of pieces
                         * @example 2
                         */
                        readonly quantity: number;
                    }[];
                    /**
                     * @description Pay back what shipping cost, too
                     * @default false
                     * @example false
                     */
                    readonly shipping?: boolean;
                    /**
                     * @description Why, for people
                     * @example Ordered the wrong size
                     */
                    readonly reason: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly payOrder: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description With `wait=N`, answers when the outcome is there, or 202 after N seconds, at most 30. */
                readonly Prefer?: components["parameters"]["Prefer"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Payment gateway
                     * @example sandbox
                     */
                    readonly gateway: string;
                    /**
                     * @description What the payment gateway gave for the shopper's card
                     * @example tok_sandbox_4242
                     */
                    readonly token: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly "Preference-Applied": components["headers"]["PreferenceApplied"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description Accepted; its outcome did not come in time. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly refundPayment: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key": components["parameters"]["RequiredIdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly paymentId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Names the refund
                     * @example 0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88
                     */
                    readonly refundId?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listApiKeys: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those that are revoked, or are not */
                readonly revoked?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description API key
                             * @example 0198f0c2-5555-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Short text
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * @description What it may do
                             * @example [
                             *       "catalogue",
                             *       "stock"
                             *     ]
                             */
                            readonly scopes: readonly ("catalogue" | "stock" | "orders" | "payments" | "customers" | "tokens" | "analytics" | "system" | "keys" | "webhooks" | "import")[];
                            /**
                             * Format: date-time
                             * @description When it was made
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly createdAt: string;
                            /**
                             * @description When it was revoked
                             * @example null
                             */
                            readonly revokedAt: string | null;
                            /**
                             * @description Revision of the key, for `If-Match`
                             * @example 0
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly createApiKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Short text
                     * @example Blue teapot
                     */
                    readonly title: string;
                    /**
                     * @description What it may do
                     * @example [
                     *       "catalogue",
                     *       "stock"
                     *     ]
                     */
                    readonly scopes: readonly ("catalogue" | "stock" | "orders" | "payments" | "customers" | "tokens" | "analytics" | "system" | "keys" | "webhooks" | "import")[];
                    /**
                     * @description SHA-256 of the secret, which is random, in hex
                     * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                     */
                    readonly secretHash: string;
                    /**
                     * @description Id of the key, without an underscore
                     * @example k7q2m9
                     */
                    readonly id?: string;
                };
            };
        };
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly revokeApiKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly retryDeadLetter: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly deadLetterId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly discardDeadLetter: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description When it happened, for history that is brought in. Only with the scope `import`. */
                readonly "Daybook-Occurred-At"?: components["parameters"]["OccurredAt"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly deadLetterId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Why it is not to be done
                     * @example Paid back by hand at the gateway
                     */
                    readonly reason: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listWebhooks: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description All of them */
                        readonly items: readonly {
                            /**
                             * @description Webhook
                             * @example erp
                             */
                            readonly id: string;
                            /**
                             * @description Short text
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * Format: uri
                             * @description Where events are sent
                             * @example https://erp.example/daybook
                             */
                            readonly url: string;
                            /**
                             * @description Types of the events that are sent
                             * @example [
                             *       "OrderConfirmed",
                             *       "OrderCancelled"
                             *     ]
                             */
                            readonly eventTypes: readonly string[];
                            /**
                             * @description Whether events are sent
                             * @example active
                             * @enum {string}
                             */
                            readonly status: "active" | "disabled";
                            /**
                             * @description When it was disabled and by what; null while it is active
                             * @example null
                             */
                            readonly disabled: {
                                /**
                                 * Format: date-time
                                 * @description UTC time, ISO 8601
                                 * @example 2026-01-15T09:30:00.000Z
                                 */
                                readonly at: string;
                                /**
                                 * @description Who or what disabled it: `gone` is an answer 410, `failing` too long without success
                                 * @example failing
                                 * @enum {string}
                                 */
                                readonly cause: "staff" | "failing" | "gone";
                                /**
                                 * @description Why, for people
                                 * @example Moves to another server
                                 */
                                readonly reason: string | null;
                            } | null;
                            /**
                             * @description Since when nothing sent has arrived; null where the last message did
                             * @example null
                             */
                            readonly failingSince: string | null;
                            /**
                             * Format: date-time
                             * @description When it was made
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly createdAt: string;
                            /**
                             * @description Revision of all webhooks together, for `If-Match`
                             * @example 4
                             */
                            readonly revision: number;
                        }[];
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly createWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Webhook
                     * @example erp
                     */
                    readonly id?: string;
                    /**
                     * @description Short text
                     * @example Blue teapot
                     */
                    readonly title: string;
                    /**
                     * Format: uri
                     * @description Where events are sent
                     * @example https://erp.example/daybook
                     */
                    readonly url: string;
                    /**
                     * @description Types of the events that are sent
                     * @example [
                     *       "OrderConfirmed",
                     *       "OrderCancelled"
                     *     ]
                     */
                    readonly eventTypes: readonly ("ProductCreated" | "ProductTextsChanged" | "ProductImagesChanged" | "ProductCategorised" | "ProductTaxCategoryChanged" | "ProductAttributesChanged" | "VariantAdded" | "VariantPricesChanged" | "VariantRemoved" | "ProductPublished" | "ProductUnpublished" | "CategoryCreated" | "CategoryRenamed" | "StockReceived" | "StockAdjusted" | "StockReserved" | "ReservationRefused" | "ReservationReleased" | "ReservationCommitted" | "ShippingMethodOffered" | "ShippingMethodWithdrawn" | "TaxRateSet" | "CustomerRegistered" | "CustomerRenamed" | "AddressSaved" | "AddressRemoved" | "GuestTakenOver" | "CustomerForgotten" | "PersonalDataErased" | "CartOpened" | "CartLineAdded" | "CartLineQuantityChanged" | "CartLineRemoved" | "CartAddressSet" | "CartShippingChosen" | "CartCheckedOut" | "CartHandedOver" | "GuestCartMerged" | "CartMerged" | "OrderPlaced" | "OrderStockReserved" | "OrderStockSecured" | "OrderPaymentStarted" | "OrderPaymentFailed" | "OrderConfirmed" | "OrderPaid" | "OrderRejected" | "OrderExpired" | "OrderCancelled" | "OrderShipped" | "OrderDelivered" | "OrderCompleted" | "OrderRefundRequested" | "OrderRefunded" | "OrderRefundFailed" | "PaymentRequested" | "PaymentPending" | "PaymentAuthorised" | "PaymentFailed" | "CaptureRequested" | "PaymentCaptured" | "CaptureFailed" | "PaymentCancelRequested" | "PaymentCancelled" | "RefundRequested" | "PaymentRefunded" | "RefundFailed" | "GatewayCallbackReceived")[];
                };
            };
        };
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changeWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Short text
                     * @example Blue teapot
                     */
                    readonly title?: string;
                    /**
                     * Format: uri
                     * @description Where events are sent
                     * @example https://erp.example/daybook
                     */
                    readonly url?: string;
                    /**
                     * @description Types of the events that are sent
                     * @example [
                     *       "OrderConfirmed",
                     *       "OrderCancelled"
                     *     ]
                     */
                    readonly eventTypes?: readonly ("ProductCreated" | "ProductTextsChanged" | "ProductImagesChanged" | "ProductCategorised" | "ProductTaxCategoryChanged" | "ProductAttributesChanged" | "VariantAdded" | "VariantPricesChanged" | "VariantRemoved" | "ProductPublished" | "ProductUnpublished" | "CategoryCreated" | "CategoryRenamed" | "StockReceived" | "StockAdjusted" | "StockReserved" | "ReservationRefused" | "ReservationReleased" | "ReservationCommitted" | "ShippingMethodOffered" | "ShippingMethodWithdrawn" | "TaxRateSet" | "CustomerRegistered" | "CustomerRenamed" | "AddressSaved" | "AddressRemoved" | "GuestTakenOver" | "CustomerForgotten" | "PersonalDataErased" | "CartOpened" | "CartLineAdded" | "CartLineQuantityChanged" | "CartLineRemoved" | "CartAddressSet" | "CartShippingChosen" | "CartCheckedOut" | "CartHandedOver" | "GuestCartMerged" | "CartMerged" | "OrderPlaced" | "OrderStockReserved" | "OrderStockSecured" | "OrderPaymentStarted" | "OrderPaymentFailed" | "OrderConfirmed" | "OrderPaid" | "OrderRejected" | "OrderExpired" | "OrderCancelled" | "OrderShipped" | "OrderDelivered" | "OrderCompleted" | "OrderRefundRequested" | "OrderRefunded" | "OrderRefundFailed" | "PaymentRequested" | "PaymentPending" | "PaymentAuthorised" | "PaymentFailed" | "CaptureRequested" | "PaymentCaptured" | "CaptureFailed" | "PaymentCancelRequested" | "PaymentCancelled" | "RefundRequested" | "PaymentRefunded" | "RefundFailed" | "GatewayCallbackReceived")[];
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly disableWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Why, for people
                     * @example Ordered the wrong size
                     */
                    readonly reason?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly enableWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly rotateWebhookSecret: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description How long the present secret goes on to sign, too; 0 for one that others know
                     * @default 86400000
                     * @example 86400000
                     */
                    readonly previousForMs?: number;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Webhook */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Webhook
                         * @example erp
                         */
                        readonly id: string;
                        /**
                         * @description Short text
                         * @example Blue teapot
                         */
                        readonly title: string;
                        /**
                         * Format: uri
                         * @description Where events are sent
                         * @example https://erp.example/daybook
                         */
                        readonly url: string;
                        /**
                         * @description Types of the events that are sent
                         * @example [
                         *       "OrderConfirmed",
                         *       "OrderCancelled"
                         *     ]
                         */
                        readonly eventTypes: readonly string[];
                        /**
                         * @description Whether events are sent
                         * @example active
                         * @enum {string}
                         */
                        readonly status: "active" | "disabled";
                        /**
                         * @description When it was disabled and by what; null while it is active
                         * @example null
                         */
                        readonly disabled: {
                            /**
                             * Format: date-time
                             * @description UTC time, ISO 8601
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly at: string;
                            /**
                             * @description Who or what disabled it: `gone` is an answer 410, `failing` too long without success
                             * @example failing
                             * @enum {string}
                             */
                            readonly cause: "staff" | "failing" | "gone";
                            /**
                             * @description Why, for people
                             * @example Moves to another server
                             */
                            readonly reason: string | null;
                        } | null;
                        /**
                         * @description Since when nothing sent has arrived; null where the last message did
                         * @example null
                         */
                        readonly failingSince: string | null;
                        /**
                         * Format: date-time
                         * @description When it was made
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly createdAt: string;
                        /**
                         * @description Revision of all webhooks together, for `If-Match`
                         * @example 4
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly deleteWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly testWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description With `wait=N`, answers when the outcome is there, or 202 after N seconds, at most 30. */
                readonly Prefer?: components["parameters"]["Prefer"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Webhook */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Created. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly "Preference-Applied": components["headers"]["PreferenceApplied"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description Accepted; its outcome did not come in time. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly redeliverWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The same key is the same request: sent again, it takes effect once and gets the first answer. */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description Only at this revision; otherwise 412. */
                readonly "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly deliveryId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Accepted"];
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 412: components["responses"]["Problem412"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getProduct: {
        readonly parameters: {
            readonly query?: {
                /** @description Language of the texts; where there is none in it, the nearest is shown */
                readonly language?: string;
                /** @description Show only prices in this currency */
                readonly currency?: string;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Id of the product */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Id of the product
                         * @example blue-teapot
                         */
                        readonly id: string;
                        /**
                         * @description Readable name for addresses of pages, unique in the shop
                         * @example blue-teapot
                         */
                        readonly slug: string;
                        /**
                         * @description The shop's own values, at most 50
                         * @example {
                         *       "material": "porcelain"
                         *     }
                         */
                        readonly attributes: {
                            readonly [key: string]: string | number | boolean;
                        };
                        /** @description Pictures, the main one first */
                        readonly images: readonly {
                            /**
                             * Format: uri
                             * @description Address of the picture
                             * @example https://example.com/teapot.jpg
                             */
                            readonly url: string;
                            /**
                             * @description What the picture shows
                             * @example A blue teapot
                             */
                            readonly alt: string;
                        }[];
                        /**
                         * @description Categories that it is in
                         * @example [
                         *       "teapots"
                         *     ]
                         */
                        readonly categoryIds: readonly string[];
                        /**
                         * @description Those categories and all that they are within
                         * @example [
                         *       "kitchen",
                         *       "teapots"
                         *     ]
                         */
                        readonly allCategoryIds: readonly string[];
                        /**
                         * Format: date-time
                         * @description When it was created
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly createdAt: string;
                        /**
                         * Format: date-time
                         * @description When it was last changed
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly changedAt: string;
                        /**
                         * @description Revision of the product, for `If-Match`
                         * @example 3
                         */
                        readonly revision: number;
                        /**
                         * @description Language of the texts
                         * @example en
                         */
                        readonly language: string;
                        /**
                         * @description Title in that language
                         * @example Blue teapot
                         */
                        readonly title: string;
                        /**
                         * @description Longer text in that language
                         * @example Holds one litre.
                         */
                        readonly description: string;
                        /** @description Categories that it is in, and those that these are within */
                        readonly categories: readonly {
                            /**
                             * @description Id of the category
                             * @example teapots
                             */
                            readonly id: string;
                            /**
                             * @description Readable name for addresses of pages, unique in the shop
                             * @example blue-teapot
                             */
                            readonly slug: string;
                            /**
                             * @description Title in that language
                             * @example Teapots
                             */
                            readonly title: string;
                        }[];
                        /** @description Variants in the order in which they were added */
                        readonly variants: readonly {
                            /**
                             * @description Stock keeping unit: names one variant of a product; case counts
                             * @example TEAPOT-BLUE
                             */
                            readonly sku: string;
                            /**
                             * @description What sets the variant apart
                             * @example Large
                             */
                            readonly title: string | null;
                            /**
                             * @description Price of one piece by currency; only in the one that was asked for, if one was
                             * @example {
                             *       "EUR": 2499
                             *     }
                             */
                            readonly prices: {
                                readonly [key: string]: number;
                            };
                            /**
                             * @description Whether it can be ordered
                             * @example true
                             */
                            readonly available: boolean;
                            /**
                             * @description Pieces that can be ordered
                             * @example 10
                             */
                            readonly availableQuantity: number;
                        }[];
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getProductBySlug: {
        readonly parameters: {
            readonly query?: {
                /** @description Language of the texts; where there is none in it, the nearest is shown */
                readonly language?: string;
                /** @description Show only prices in this currency */
                readonly currency?: string;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Readable name for addresses of pages, unique in the shop */
                readonly slug: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Id of the product
                         * @example blue-teapot
                         */
                        readonly id: string;
                        /**
                         * @description Readable name for addresses of pages, unique in the shop
                         * @example blue-teapot
                         */
                        readonly slug: string;
                        /**
                         * @description The shop's own values, at most 50
                         * @example {
                         *       "material": "porcelain"
                         *     }
                         */
                        readonly attributes: {
                            readonly [key: string]: string | number | boolean;
                        };
                        /** @description Pictures, the main one first */
                        readonly images: readonly {
                            /**
                             * Format: uri
                             * @description Address of the picture
                             * @example https://example.com/teapot.jpg
                             */
                            readonly url: string;
                            /**
                             * @description What the picture shows
                             * @example A blue teapot
                             */
                            readonly alt: string;
                        }[];
                        /**
                         * @description Categories that it is in
                         * @example [
                         *       "teapots"
                         *     ]
                         */
                        readonly categoryIds: readonly string[];
                        /**
                         * @description Those categories and all that they are within
                         * @example [
                         *       "kitchen",
                         *       "teapots"
                         *     ]
                         */
                        readonly allCategoryIds: readonly string[];
                        /**
                         * Format: date-time
                         * @description When it was created
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly createdAt: string;
                        /**
                         * Format: date-time
                         * @description When it was last changed
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly changedAt: string;
                        /**
                         * @description Revision of the product, for `If-Match`
                         * @example 3
                         */
                        readonly revision: number;
                        /**
                         * @description Language of the texts
                         * @example en
                         */
                        readonly language: string;
                        /**
                         * @description Title in that language
                         * @example Blue teapot
                         */
                        readonly title: string;
                        /**
                         * @description Longer text in that language
                         * @example Holds one litre.
                         */
                        readonly description: string;
                        /** @description Categories that it is in, and those that these are within */
                        readonly categories: readonly {
                            /**
                             * @description Id of the category
                             * @example teapots
                             */
                            readonly id: string;
                            /**
                             * @description Readable name for addresses of pages, unique in the shop
                             * @example blue-teapot
                             */
                            readonly slug: string;
                            /**
                             * @description Title in that language
                             * @example Teapots
                             */
                            readonly title: string;
                        }[];
                        /** @description Variants in the order in which they were added */
                        readonly variants: readonly {
                            /**
                             * @description Stock keeping unit: names one variant of a product; case counts
                             * @example TEAPOT-BLUE
                             */
                            readonly sku: string;
                            /**
                             * @description What sets the variant apart
                             * @example Large
                             */
                            readonly title: string | null;
                            /**
                             * @description Price of one piece by currency; only in the one that was asked for, if one was
                             * @example {
                             *       "EUR": 2499
                             *     }
                             */
                            readonly prices: {
                                readonly [key: string]: number;
                            };
                            /**
                             * @description Whether it can be ordered
                             * @example true
                             */
                            readonly available: boolean;
                            /**
                             * @description Pieces that can be ordered
                             * @example 10
                             */
                            readonly availableQuantity: number;
                        }[];
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listAllProducts: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those that are published, or only those that are not */
                readonly published?: string;
                /** @description Newest first, latest change first, or by slug */
                readonly sort?: "newest" | "changed" | "slug";
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Id of the product
                             * @example blue-teapot
                             */
                            readonly id: string;
                            /**
                             * @description Readable name for addresses of pages, unique in the shop
                             * @example blue-teapot
                             */
                            readonly slug: string;
                            /**
                             * @description Texts by language
                             * @example {
                             *       "en": {
                             *         "title": "Blue teapot",
                             *         "description": "Holds one litre."
                             *       }
                             *     }
                             */
                            readonly texts: {
                                readonly [key: string]: {
                                    /**
                                     * @description Short text
                                     * @example Blue teapot
                                     */
                                    readonly title: string;
                                    /**
                                     * @description Longer text
                                     * @example Holds one litre.
                                     */
                                    readonly description: string;
                                };
                            };
                            /**
                             * @description Group of goods that are taxed alike
                             * @example standard
                             */
                            readonly taxCategory: string;
                            /**
                             * @description The shop's own values, at most 50
                             * @example {
                             *       "material": "porcelain"
                             *     }
                             */
                            readonly attributes: {
                                readonly [key: string]: string | number | boolean;
                            };
                            /** @description Pictures, the main one first */
                            readonly images: readonly {
                                /**
                                 * Format: uri
                                 * @description Address of the picture
                                 * @example https://example.com/teapot.jpg
                                 */
                                readonly url: string;
                                /**
                                 * @description What the picture shows
                                 * @example A blue teapot
                                 */
                                readonly alt: string;
                            }[];
                            /**
                             * @description Categories that it is in
                             * @example [
                             *       "teapots"
                             *     ]
                             */
                            readonly categoryIds: readonly string[];
                            /**
                             * @description Those categories and all that they are within
                             * @example [
                             *       "kitchen",
                             *       "teapots"
                             *     ]
                             */
                            readonly allCategoryIds: readonly string[];
                            /**
                             * @description Variants in the order in which they were added
                             * @example [
                             *       {
                             *         "sku": "TEAPOT-BLUE",
                             *         "prices": {
                             *           "EUR": 2499
                             *         }
                             *       }
                             *     ]
                             */
                            readonly variants: readonly {
                                /**
                                 * @description Stock keeping unit: names one variant of a product; case counts
                                 * @example TEAPOT-BLUE
                                 */
                                readonly sku: string;
                                /**
                                 * @description What sets the variant apart, by language
                                 * @example {
                                 *       "en": "Large"
                                 *     }
                                 */
                                readonly titles?: {
                                    readonly [key: string]: string;
                                };
                                /**
                                 * @description Price of one piece by currency, in minor units, tax included
                                 * @example {
                                 *       "EUR": 2499,
                                 *       "GBP": 2199
                                 *     }
                                 */
                                readonly prices: {
                                    readonly [key: string]: number;
                                };
                            }[];
                            /**
                             * @description Whether it is shown in the shop
                             * @example true
                             */
                            readonly published: boolean;
                            /**
                             * Format: date-time
                             * @description When it was created
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly createdAt: string;
                            /**
                             * Format: date-time
                             * @description When it was last changed
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly changedAt: string;
                            /**
                             * @description Revision of the product, for `If-Match`
                             * @example 3
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getAnyProduct: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Id of the product */
                readonly productId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Id of the product
                         * @example blue-teapot
                         */
                        readonly id: string;
                        /**
                         * @description Readable name for addresses of pages, unique in the shop
                         * @example blue-teapot
                         */
                        readonly slug: string;
                        /**
                         * @description Texts by language
                         * @example {
                         *       "en": {
                         *         "title": "Blue teapot",
                         *         "description": "Holds one litre."
                         *       }
                         *     }
                         */
                        readonly texts: {
                            readonly [key: string]: {
                                /**
                                 * @description Short text
                                 * @example Blue teapot
                                 */
                                readonly title: string;
                                /**
                                 * @description Longer text
                                 * @example Holds one litre.
                                 */
                                readonly description: string;
                            };
                        };
                        /**
                         * @description Group of goods that are taxed alike
                         * @example standard
                         */
                        readonly taxCategory: string;
                        /**
                         * @description The shop's own values, at most 50
                         * @example {
                         *       "material": "porcelain"
                         *     }
                         */
                        readonly attributes: {
                            readonly [key: string]: string | number | boolean;
                        };
                        /** @description Pictures, the main one first */
                        readonly images: readonly {
                            /**
                             * Format: uri
                             * @description Address of the picture
                             * @example https://example.com/teapot.jpg
                             */
                            readonly url: string;
                            /**
                             * @description What the picture shows
                             * @example A blue teapot
                             */
                            readonly alt: string;
                        }[];
                        /**
                         * @description Categories that it is in
                         * @example [
                         *       "teapots"
                         *     ]
                         */
                        readonly categoryIds: readonly string[];
                        /**
                         * @description Those categories and all that they are within
                         * @example [
                         *       "kitchen",
                         *       "teapots"
                         *     ]
                         */
                        readonly allCategoryIds: readonly string[];
                        /**
                         * @description Variants in the order in which they were added
                         * @example [
                         *       {
                         *         "sku": "TEAPOT-BLUE",
                         *         "prices": {
                         *           "EUR": 2499
                         *         }
                         *       }
                         *     ]
                         */
                        readonly variants: readonly {
                            /**
                             * @description Stock keeping unit: names one variant of a product; case counts
                             * @example TEAPOT-BLUE
                             */
                            readonly sku: string;
                            /**
                             * @description What sets the variant apart, by language
                             * @example {
                             *       "en": "Large"
                             *     }
                             */
                            readonly titles?: {
                                readonly [key: string]: string;
                            };
                            /**
                             * @description Price of one piece by currency, in minor units, tax included
                             * @example {
                             *       "EUR": 2499,
                             *       "GBP": 2199
                             *     }
                             */
                            readonly prices: {
                                readonly [key: string]: number;
                            };
                        }[];
                        /**
                         * @description Whether it is shown in the shop
                         * @example true
                         */
                        readonly published: boolean;
                        /**
                         * Format: date-time
                         * @description When it was created
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly createdAt: string;
                        /**
                         * Format: date-time
                         * @description When it was last changed
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly changedAt: string;
                        /**
                         * @description Revision of the product, for `If-Match`
                         * @example 3
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getCategory: {
        readonly parameters: {
            readonly query?: {
                /** @description Language of the texts; where there is none in it, the nearest is shown */
                readonly language?: string;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Id of the category */
                readonly categoryId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Id of the category
                         * @example teapots
                         */
                        readonly id: string;
                        /**
                         * @description Readable name for addresses of pages, unique in the shop
                         * @example blue-teapot
                         */
                        readonly slug: string;
                        /**
                         * @description Text by language
                         * @example {
                         *       "en": "Teapots",
                         *       "de": "Teekannen"
                         *     }
                         */
                        readonly titles: {
                            readonly [key: string]: string;
                        };
                        /**
                         * @description Ids from the outermost category to this one
                         * @example [
                         *       "kitchen",
                         *       "teapots"
                         *     ]
                         */
                        readonly path: readonly string[];
                        /**
                         * @description Category that it is within; null for an outermost
                         * @example kitchen
                         */
                        readonly parentId: string | null;
                        /**
                         * @description Revision of the category, for `If-Match`
                         * @example 0
                         */
                        readonly revision: number;
                        /**
                         * @description Title in the language
                         * @example Teapots
                         */
                        readonly title: string;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getStockLevel: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Stock keeping unit: names one variant of a product; case counts */
                readonly sku: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Stock keeping unit: names one variant of a product; case counts
                         * @example TEAPOT-BLUE
                         */
                        readonly sku: string;
                        /**
                         * @description Pieces in the house
                         * @example 12
                         */
                        readonly onHand: number;
                        /**
                         * @description Pieces that orders have reserved
                         * @example 2
                         */
                        readonly reserved: number;
                        /**
                         * @description On hand and not reserved; below zero where pieces got lost that were reserved
                         * @example 10
                         */
                        readonly available: number;
                        /**
                         * @description Revision of the stock item, for `If-Match`
                         * @example 41
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listStockLevels: {
        readonly parameters: {
            readonly query?: {
                /** @description By what to sort; by availability if one is asked for, else by SKU */
                readonly sort?: "sku" | "available";
                /** @description At most this many available */
                readonly maxAvailable?: number;
                /** @description At least this many available */
                readonly minAvailable?: number;
                /** @description SKUs that begin so */
                readonly beginning?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Stock keeping unit: names one variant of a product; case counts
                             * @example TEAPOT-BLUE
                             */
                            readonly sku: string;
                            /**
                             * @description Pieces in the house
                             * @example 12
                             */
                            readonly onHand: number;
                            /**
                             * @description Pieces that orders have reserved
                             * @example 2
                             */
                            readonly reserved: number;
                            /**
                             * @description On hand and not reserved; below zero where pieces got lost that were reserved
                             * @example 10
                             */
                            readonly available: number;
                            /**
                             * @description Revision of the stock item, for `If-Match`
                             * @example 41
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listShippingMethods: {
        readonly parameters: {
            readonly query: {
                /** @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown */
                readonly country: string;
                /** @description ISO 4217 currency code */
                readonly currency: string;
                /** @description Language of the texts; where there is none in it, the nearest is shown */
                readonly language?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Code of the method
                             * @example standard
                             */
                            readonly id: string;
                            /**
                             * @description Title in the language
                             * @example Standard
                             */
                            readonly title: string;
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description Price of a shipment, tax included
                             * @example 490
                             */
                            readonly price: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listOfferedShippingMethods: {
        readonly parameters: {
            readonly query?: {
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Code of the method
                             * @example standard
                             */
                            readonly id: string;
                            /**
                             * @description Text by language
                             * @example {
                             *       "en": "Teapots",
                             *       "de": "Teekannen"
                             *     }
                             */
                            readonly titles: {
                                readonly [key: string]: string;
                            };
                            /**
                             * @description Price of a shipment by currency, in minor units, tax included
                             * @example {
                             *       "EUR": 490
                             *     }
                             */
                            readonly prices: {
                                readonly [key: string]: number;
                            };
                            /**
                             * @description Where it goes; empty for everywhere
                             * @example [
                             *       "DE",
                             *       "AT"
                             *     ]
                             */
                            readonly countries: readonly string[];
                            /**
                             * @description Group of goods that are taxed alike
                             * @example standard
                             */
                            readonly taxCategory: string;
                            /**
                             * @description Revision of the method, for `If-Match`
                             * @example 0
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listTaxRates: {
        readonly parameters: {
            readonly query?: {
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                             * @example DE
                             */
                            readonly country: string;
                            /**
                             * @description Rates by tax category, in hundredths of a percent; what has none is not taxed
                             * @example {
                             *       "standard": 1900,
                             *       "reduced": 700
                             *     }
                             */
                            readonly rates: {
                                readonly [key: string]: number;
                            };
                            /**
                             * @description Revision of the country's rates, for `If-Match`
                             * @example 1
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getCustomer: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Customer */
                readonly customerId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Customer
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly id: string;
                        /**
                         * @description Whether the customer has an account
                         * @example guest
                         * @enum {string}
                         */
                        readonly buyer: "member" | "guest";
                        /**
                         * @description E-mail address
                         * @example ada@example.com
                         */
                        readonly email: string | null;
                        /**
                         * @description Full name
                         * @example Ada Lovelace
                         */
                        readonly name: string | null;
                        /** @description Saved addresses */
                        readonly addresses: readonly {
                            /**
                             * @description Names the address within the customer
                             * @example home
                             */
                            readonly addressId: string;
                            /**
                             * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                             * @example DE
                             */
                            readonly country: string;
                            /**
                             * @description Postal address
                             * @example {
                             *       "name": "Ada Lovelace",
                             *       "line1": "12 St James Square",
                             *       "city": "London",
                             *       "postalCode": "SW1Y 4JH"
                             *     }
                             */
                            readonly address: {
                                /**
                                 * @description Who receives it
                                 * @example Ada Lovelace
                                 */
                                readonly name: string;
                                /**
                                 * @description Street and number
                                 * @example 12 St James Square
                                 */
                                readonly line1: string;
                                /**
                                 * @description Second line
                                 * @example Second floor
                                 */
                                readonly line2?: string;
                                /**
                                 * @description City
                                 * @example London
                                 */
                                readonly city: string;
                                /**
                                 * @description State or province
                                 * @example Greater London
                                 */
                                readonly region?: string;
                                /**
                                 * @description Postal code
                                 * @example SW1Y 4JH
                                 */
                                readonly postalCode: string;
                                /**
                                 * @description Telephone number
                                 * @example +44 20 7946 0000
                                 */
                                readonly phone?: string;
                            } | null;
                        }[];
                        /**
                         * @description The shop's own values of the customer, at most 50; personal like the name
                         * @example {
                         *       "newsletter": true
                         *     }
                         */
                        readonly attributes: {
                            readonly [key: string]: string | number | boolean;
                        } | null;
                        /**
                         * Format: date-time
                         * @description When the customer registered; of guests, when they first ordered
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly createdAt: string;
                        /**
                         * @description Number of orders that were paid
                         * @example 3
                         */
                        readonly orders: number;
                        /**
                         * @description Paid for orders less what was given back, in minor units by currency
                         * @example {
                         *       "EUR": 16470
                         *     }
                         */
                        readonly spent: {
                            readonly [key: string]: number;
                        };
                        /**
                         * @description When the latest order that was paid was placed
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly lastOrderAt: string | null;
                        /**
                         * @description Whether all personal data was deleted
                         * @example false
                         */
                        readonly forgotten: boolean;
                        /**
                         * @description Revision of the customer, for `If-Match`; null for a guest, of whom only orders know
                         * @example 2
                         */
                        readonly revision: number | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listCustomers: {
        readonly parameters: {
            readonly query?: {
                readonly buyer?: "member" | "guest";
                /** @description Registered (guests: first ordered) then or later */
                readonly createdFrom?: string;
                /** @description Registered (guests: first ordered) then or before */
                readonly createdTo?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Customer
                             * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Whether the customer has an account
                             * @example guest
                             * @enum {string}
                             */
                            readonly buyer: "member" | "guest";
                            /**
                             * @description E-mail address
                             * @example ada@example.com
                             */
                            readonly email: string | null;
                            /**
                             * @description Full name
                             * @example Ada Lovelace
                             */
                            readonly name: string | null;
                            /**
                             * Format: date-time
                             * @description When the customer registered; of guests, when they first ordered
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly createdAt: string;
                            /**
                             * @description Number of orders that were paid
                             * @example 3
                             */
                            readonly orders: number;
                            /**
                             * @description Paid for orders less what was given back, in minor units by currency
                             * @example {
                             *       "EUR": 16470
                             *     }
                             */
                            readonly spent: {
                                readonly [key: string]: number;
                            };
                            /**
                             * @description When the latest order that was paid was placed
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly lastOrderAt: string | null;
                            /**
                             * @description Whether all personal data was deleted
                             * @example false
                             */
                            readonly forgotten: boolean;
                            /**
                             * @description Revision of the customer, for `If-Match`; null for a guest, of whom only orders know
                             * @example 2
                             */
                            readonly revision: number | null;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getCart: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Id of the cart */
                readonly cartId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Id of the cart
                         * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly id: string;
                        /**
                         * @description Whose cart it is
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * @description Whether the customer has an account
                         * @example guest
                         * @enum {string}
                         */
                        readonly buyer: "member" | "guest";
                        /**
                         * @description ISO 4217 currency code
                         * @example EUR
                         */
                        readonly currency: string;
                        /**
                         * @description Language tag (BCP 47)
                         * @example en
                         */
                        readonly language: string;
                        /** @description Lines in the order in which they were added */
                        readonly lines: readonly {
                            /**
                             * @description Stock keeping unit: names one variant of a product; case counts
                             * @example TEAPOT-BLUE
                             */
                            readonly sku: string;
                            /**
                             * @description Identifier
                             * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly productId: string;
                            /**
                             * @description Short text
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * @description Whole minor units of the currency, such as cents
                             * @example 1999
                             */
                            readonly unitPrice: number;
                            /**
                             * @description Number of pieces
                             * @example 2
                             */
                            readonly quantity: number;
                            /**
                             * @description Price of all pieces, tax included
                             * @example 4998
                             */
                            readonly amount: number;
                        }[];
                        /**
                         * @description Where it goes; null as yet
                         * @example DE
                         */
                        readonly country: string | null;
                        /**
                         * @description E-mail address
                         * @example ada@example.com
                         */
                        readonly email: string | null;
                        /**
                         * @description Postal address
                         * @example {
                         *       "name": "Ada Lovelace",
                         *       "line1": "12 St James Square",
                         *       "city": "London",
                         *       "postalCode": "SW1Y 4JH"
                         *     }
                         */
                        readonly shippingAddress: {
                            /**
                             * @description Who receives it
                             * @example Ada Lovelace
                             */
                            readonly name: string;
                            /**
                             * @description Street and number
                             * @example 12 St James Square
                             */
                            readonly line1: string;
                            /**
                             * @description Second line
                             * @example Second floor
                             */
                            readonly line2?: string;
                            /**
                             * @description City
                             * @example London
                             */
                            readonly city: string;
                            /**
                             * @description State or province
                             * @example Greater London
                             */
                            readonly region?: string;
                            /**
                             * @description Postal code
                             * @example SW1Y 4JH
                             */
                            readonly postalCode: string;
                            /**
                             * @description Telephone number
                             * @example +44 20 7946 0000
                             */
                            readonly phone?: string;
                        } | null;
                        /**
                         * @description How it is sent; null as yet
                         * @example {
                         *       "method": "standard",
                         *       "title": "Standard",
                         *       "amount": 490
                         *     }
                         */
                        readonly shipping: {
                            /**
                             * @description Code of a shipping method
                             * @example standard
                             */
                            readonly method: string;
                            /**
                             * @description Short text
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * @description Whole minor units of the currency, such as cents
                             * @example 1999
                             */
                            readonly amount: number;
                        } | null;
                        /**
                         * @description Sum of the lines, tax included
                         * @example 4998
                         */
                        readonly subtotal: number;
                        /**
                         * @description Lines, and shipping as far as it is chosen, tax included
                         * @example 5488
                         */
                        readonly total: number;
                        /**
                         * @description Whether it has become an order
                         * @example false
                         */
                        readonly checkedOut: boolean;
                        /**
                         * @description Order that it has become; null as yet
                         * @example null
                         */
                        readonly orderId: string | null;
                        /**
                         * Format: date-time
                         * @description When it was opened
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly openedAt: string;
                        /**
                         * Format: date-time
                         * @description When it was last changed
                         * @example 2026-01-15T09:35:00.000Z
                         */
                        readonly changedAt: string;
                        /**
                         * @description Revision of the cart, for `If-Match`
                         * @example 4
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getOrder: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Order */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Order
                         * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly id: string;
                        /**
                         * @description Number of the order for people
                         * @example D-7KQ4-M2XA
                         */
                        readonly number: string;
                        /**
                         * @description Who buys
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * @description Whether the customer has an account
                         * @example guest
                         * @enum {string}
                         */
                        readonly buyer: "member" | "guest";
                        /**
                         * @description ISO 4217 currency code
                         * @example EUR
                         */
                        readonly currency: string;
                        /**
                         * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                         * @example DE
                         */
                        readonly country: string;
                        /**
                         * @description Language tag (BCP 47)
                         * @example en
                         */
                        readonly language: string;
                        /**
                         * @description E-mail address
                         * @example ada@example.com
                         */
                        readonly email: string | null;
                        /**
                         * @description Postal address
                         * @example {
                         *       "name": "Ada Lovelace",
                         *       "line1": "12 St James Square",
                         *       "city": "London",
                         *       "postalCode": "SW1Y 4JH"
                         *     }
                         */
                        readonly shippingAddress: {
                            /**
                             * @description Who receives it
                             * @example Ada Lovelace
                             */
                            readonly name: string;
                            /**
                             * @description Street and number
                             * @example 12 St James Square
                             */
                            readonly line1: string;
                            /**
                             * @description Second line
                             * @example Second floor
                             */
                            readonly line2?: string;
                            /**
                             * @description City
                             * @example London
                             */
                            readonly city: string;
                            /**
                             * @description State or province
                             * @example Greater London
                             */
                            readonly region?: string;
                            /**
                             * @description Postal code
                             * @example SW1Y 4JH
                             */
                            readonly postalCode: string;
                            /**
                             * @description Telephone number
                             * @example +44 20 7946 0000
                             */
                            readonly phone?: string;
                        } | null;
                        /** @description Lines of the order */
                        readonly lines: readonly {
                            /**
                             * @description Names the line within the order: its SKU, or a number
                             * @example TEAPOT-BLUE
                             */
                            readonly lineId: string;
                            /**
                             * @description Product
                             * @example blue-teapot
                             */
                            readonly productId: string;
                            /**
                             * @description Stock keeping unit: names one variant of a product; case counts
                             * @example TEAPOT-BLUE
                             */
                            readonly sku: string;
                            /**
                             * @description What it was called when it was ordered
                             * @example Blue teapot
                             */
                            readonly title: string;
                            /**
                             * @description Number of pieces
                             * @example 2
                             */
                            readonly quantity: number;
                            /**
                             * @description Price of one piece, tax included
                             * @example 2499
                             */
                            readonly unitPrice: number;
                            /**
                             * @description Price of all pieces, tax included
                             * @example 4998
                             */
                            readonly amount: number;
                            /**
                             * @description Tax rate in hundredths of a percent
                             * @example 1900
                             */
                            readonly taxRate: number;
                            /**
                             * @description Tax included in the amount
                             * @example 798
                             */
                            readonly tax: number;
                            /**
                             * @description Pieces that have left
                             * @example 2
                             */
                            readonly shipped: number;
                            /**
                             * @description Pieces that have arrived
                             * @example 0
                             */
                            readonly delivered: number;
                            /**
                             * @description Pieces that are paid back or about to be
                             * @example 0
                             */
                            readonly refunded: number;
                        }[];
                        /**
                         * @description Pieces of all lines
                         * @example 2
                         */
                        readonly units: number;
                        /** @description How the goods are sent, and what that costs */
                        readonly shipping: {
                            /**
                             * @description Code of the shipping method
                             * @example standard
                             */
                            readonly method: string;
                            /**
                             * @description What the method was called
                             * @example Standard
                             */
                            readonly title: string;
                            /**
                             * @description Price, tax included
                             * @example 490
                             */
                            readonly amount: number;
                            /**
                             * @description Tax rate in hundredths of a percent
                             * @example 1900
                             */
                            readonly taxRate: number;
                            /**
                             * @description Tax included in the amount
                             * @example 78
                             */
                            readonly tax: number;
                        };
                        /** @description Sums over the whole order */
                        readonly totals: {
                            /**
                             * @description Sum of the lines, tax included
                             * @example 4998
                             */
                            readonly items: number;
                            /**
                             * @description Price of shipping, tax included
                             * @example 490
                             */
                            readonly shipping: number;
                            /**
                             * @description Tax included in the total
                             * @example 876
                             */
                            readonly tax: number;
                            /**
                             * @description What is to be paid
                             * @example 5488
                             */
                            readonly total: number;
                        };
                        /**
                         * @description The order's own state
                         * @example confirmed
                         * @enum {string}
                         */
                        readonly status: "pending" | "confirmed" | "completed" | "cancelled" | "rejected";
                        /**
                         * @description Why it was cancelled or rejected
                         * @example null
                         */
                        readonly endReason: ("cancelled-by-customer" | "cancelled-by-staff" | "expired" | "out-of-stock") | null;
                        /**
                         * @description What was said about that
                         * @example null
                         */
                        readonly endNote: string | null;
                        /**
                         * @description How far it is paid
                         * @example captured
                         * @enum {string}
                         */
                        readonly paymentStatus: "not-paid" | "payment-started" | "authorised" | "captured" | "partly-refunded" | "refunded";
                        /**
                         * @description What has been taken; null before
                         * @example 5488
                         */
                        readonly paid: number | null;
                        /**
                         * @description What has been given back of it
                         * @example 0
                         */
                        readonly refunded: number;
                        /**
                         * @description The latest payment
                         * @example null
                         */
                        readonly payment: {
                            /**
                             * @description Payment
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly paymentId: string;
                            /**
                             * @description Payment gateway
                             * @example sandbox
                             */
                            readonly gateway: string;
                            /**
                             * @description Whether it is under way, has failed, was let go as the order ended, or has taken the money
                             * @example started
                             * @enum {string}
                             */
                            readonly status: "started" | "failed" | "cancelled" | "captured";
                            /**
                             * @description What the shopper has to do, as long as the gateway waits for it
                             * @example {
                             *       "kind": "redirect",
                             *       "url": "https://gateway.example/pay_8f2k"
                             *     }
                             */
                            readonly nextAction: ({
                                /**
                                 * @description Nothing to do but to wait
                                 * @constant
                                 */
                                readonly kind: "none";
                            } | {
                                /**
                                 * @description Send the shopper to another page
                                 * @constant
                                 */
                                readonly kind: "redirect";
                                /**
                                 * Format: uri
                                 * @description That page
                                 * @example https://gateway.example/pay_8f2k
                                 */
                                readonly url: string;
                            }) | null;
                            /**
                             * @description Why it failed
                             * @example null
                             */
                            readonly failure: {
                                /**
                                 * @description Why, for programs
                                 * @example card-declined
                                 */
                                readonly code: string;
                                /**
                                 * @description Why, for people
                                 * @example Ordered the wrong size
                                 */
                                readonly reason: string;
                            } | null;
                        } | null;
                        /**
                         * @description How far it is shipped and delivered
                         * @example unfulfilled
                         * @enum {string}
                         */
                        readonly fulfilmentStatus: "unfulfilled" | "partly-shipped" | "shipped" | "partly-delivered" | "delivered";
                        /** @description Shipments, the first one first */
                        readonly shipments: readonly {
                            /**
                             * @description Shipment
                             * @example 0198f0c2-4444-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly shipmentId: string;
                            /** @description Pieces by line */
                            readonly lines: readonly {
                                /**
                                 * @description Names the line within the order: its SKU, or a number
                                 * @example TEAPOT-BLUE
                                 */
                                readonly lineId: string;
                                /**
                                 * @description Number of pieces
                                 * @example 2
                                 */
                                readonly quantity: number;
                            }[];
                            /**
                             * @description Who carries it
                             * @example DHL
                             */
                            readonly carrier: string | null;
                            /**
                             * @description The carrier's tracking code
                             * @example JD0146
                             */
                            readonly trackingCode: string | null;
                            /**
                             * Format: date-time
                             * @description When it left
                             * @example 2026-01-16T08:00:00.000Z
                             */
                            readonly shippedAt: string;
                            /**
                             * @description When it arrived
                             * @example null
                             */
                            readonly deliveredAt: string | null;
                        }[];
                        /** @description Refunds, the first one first; one that failed stays, and is asked for anew under another id */
                        readonly refunds: readonly {
                            /**
                             * @description Refund
                             * @example 0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly refundId: string;
                            /**
                             * @description Whether the money is on its way, is back or could not be given back
                             * @example refunded
                             * @enum {string}
                             */
                            readonly status: "requested" | "refunded" | "failed";
                            /** @description Pieces by line */
                            readonly lines: readonly {
                                /**
                                 * @description Names the line within the order: its SKU, or a number
                                 * @example TEAPOT-BLUE
                                 */
                                readonly lineId: string;
                                /**
                                 * @description Number of pieces
                                 * @example 2
                                 */
                                readonly quantity: number;
                            }[];
                            /**
                             * @description Given back for shipping, tax included
                             * @example 0
                             */
                            readonly shipping: number;
                            /**
                             * @description All that is given back
                             * @example 2499
                             */
                            readonly total: number;
                            /**
                             * @description Why, for people
                             * @example Ordered the wrong size
                             */
                            readonly reason: string;
                        }[];
                        /**
                         * @description How far its refunds are; `failed` needs a person until another is under way or all is paid back
                         * @example none
                         * @enum {string}
                         */
                        readonly refundStatus: "none" | "requested" | "failed" | "refunded";
                        /**
                         * Format: date-time
                         * @description When it was placed
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly placedAt: string;
                        /**
                         * Format: date-time
                         * @description Ends by itself unless it is confirmed before
                         * @example 2026-01-15T10:00:00.000Z
                         */
                        readonly expiresAt: string;
                        /**
                         * @description Revision of the order, for `If-Match`
                         * @example 7
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listOwnOrders: {
        readonly parameters: {
            readonly query?: {
                readonly status?: "pending" | "confirmed" | "completed" | "cancelled" | "rejected";
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Order
                             * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Number of the order for people
                             * @example D-7KQ4-M2XA
                             */
                            readonly number: string;
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description Pieces of all lines
                             * @example 2
                             */
                            readonly units: number;
                            /** @description Sums over the whole order */
                            readonly totals: {
                                /**
                                 * @description Sum of the lines, tax included
                                 * @example 4998
                                 */
                                readonly items: number;
                                /**
                                 * @description Price of shipping, tax included
                                 * @example 490
                                 */
                                readonly shipping: number;
                                /**
                                 * @description Tax included in the total
                                 * @example 876
                                 */
                                readonly tax: number;
                                /**
                                 * @description What is to be paid
                                 * @example 5488
                                 */
                                readonly total: number;
                            };
                            /**
                             * @description The order's own state
                             * @example confirmed
                             * @enum {string}
                             */
                            readonly status: "pending" | "confirmed" | "completed" | "cancelled" | "rejected";
                            /**
                             * @description Why it was cancelled or rejected
                             * @example null
                             */
                            readonly endReason: ("cancelled-by-customer" | "cancelled-by-staff" | "expired" | "out-of-stock") | null;
                            /**
                             * @description How far it is paid
                             * @example captured
                             * @enum {string}
                             */
                            readonly paymentStatus: "not-paid" | "payment-started" | "authorised" | "captured" | "partly-refunded" | "refunded";
                            /**
                             * @description How far it is shipped and delivered
                             * @example unfulfilled
                             * @enum {string}
                             */
                            readonly fulfilmentStatus: "unfulfilled" | "partly-shipped" | "shipped" | "partly-delivered" | "delivered";
                            /**
                             * Format: date-time
                             * @description When it was placed
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly placedAt: string;
                            /**
                             * @description Revision of the order, for `If-Match`
                             * @example 7
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listOrders: {
        readonly parameters: {
            readonly query?: {
                readonly status?: "pending" | "confirmed" | "completed" | "cancelled" | "rejected";
                /** @description How far it is paid */
                readonly paymentStatus?: "not-paid" | "payment-started" | "authorised" | "captured" | "partly-refunded" | "refunded";
                /** @description How far it is shipped and delivered */
                readonly fulfilmentStatus?: "unfulfilled" | "partly-shipped" | "shipped" | "partly-delivered" | "delivered";
                readonly refundStatus?: "none" | "requested" | "failed" | "refunded";
                /** @description Whose orders */
                readonly customerId?: string;
                /** @description Placed then or later */
                readonly placedFrom?: string;
                /** @description Placed then or before */
                readonly placedTo?: string;
                /** @description Beginnings of words of its number, of SKUs and of titles; an order has to have them all */
                readonly q?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Order
                             * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Number of the order for people
                             * @example D-7KQ4-M2XA
                             */
                            readonly number: string;
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description Pieces of all lines
                             * @example 2
                             */
                            readonly units: number;
                            /** @description Sums over the whole order */
                            readonly totals: {
                                /**
                                 * @description Sum of the lines, tax included
                                 * @example 4998
                                 */
                                readonly items: number;
                                /**
                                 * @description Price of shipping, tax included
                                 * @example 490
                                 */
                                readonly shipping: number;
                                /**
                                 * @description Tax included in the total
                                 * @example 876
                                 */
                                readonly tax: number;
                                /**
                                 * @description What is to be paid
                                 * @example 5488
                                 */
                                readonly total: number;
                            };
                            /**
                             * @description The order's own state
                             * @example confirmed
                             * @enum {string}
                             */
                            readonly status: "pending" | "confirmed" | "completed" | "cancelled" | "rejected";
                            /**
                             * @description Why it was cancelled or rejected
                             * @example null
                             */
                            readonly endReason: ("cancelled-by-customer" | "cancelled-by-staff" | "expired" | "out-of-stock") | null;
                            /**
                             * @description How far it is paid
                             * @example captured
                             * @enum {string}
                             */
                            readonly paymentStatus: "not-paid" | "payment-started" | "authorised" | "captured" | "partly-refunded" | "refunded";
                            /**
                             * @description How far it is shipped and delivered
                             * @example unfulfilled
                             * @enum {string}
                             */
                            readonly fulfilmentStatus: "unfulfilled" | "partly-shipped" | "shipped" | "partly-delivered" | "delivered";
                            /**
                             * Format: date-time
                             * @description When it was placed
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly placedAt: string;
                            /**
                             * @description Revision of the order, for `If-Match`
                             * @example 7
                             */
                            readonly revision: number;
                            /**
                             * @description Who buys
                             * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly customerId: string;
                            /**
                             * @description Whether the customer has an account
                             * @example guest
                             * @enum {string}
                             */
                            readonly buyer: "member" | "guest";
                            /**
                             * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                             * @example DE
                             */
                            readonly country: string;
                            /**
                             * @description E-mail address
                             * @example ada@example.com
                             */
                            readonly email: string | null;
                            /**
                             * @description What has been taken; null before
                             * @example 5488
                             */
                            readonly paid: number | null;
                            /**
                             * @description What has been given back of it
                             * @example 0
                             */
                            readonly refunded: number;
                            /**
                             * @description How far its refunds are; `failed` needs a person until another is under way or all is paid back
                             * @example none
                             * @enum {string}
                             */
                            readonly refundStatus: "none" | "requested" | "failed" | "refunded";
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getOrderTimeline: {
        readonly parameters: {
            readonly query?: {
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Identifier
                             * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly orderId: string;
                            /**
                             * @description Place in the log, by which entries are in order
                             * @example 4711
                             */
                            readonly position: number;
                            /**
                             * Format: date-time
                             * @description When it happened
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly at: string;
                            /**
                             * @description Type of the event
                             * @example OrderShipped
                             */
                            readonly type: string;
                            /**
                             * @description What happened
                             * @example Goods were shipped
                             */
                            readonly title: string;
                            /**
                             * @description What else is to be said of it
                             * @example {
                             *       "pieces": 2,
                             *       "carrier": "DHL"
                             *     }
                             */
                            readonly details: {
                                readonly [key: string]: string | number | boolean;
                            };
                            /**
                             * @description Who did it; only staff is told
                             * @example null
                             */
                            readonly by: {
                                /**
                                 * @description What kind of actor
                                 * @example staff
                                 * @enum {string}
                                 */
                                readonly kind: "staff" | "customer" | "guest" | "process" | "system";
                                /**
                                 * @description Id of the customer, guest or API key, or name of the process
                                 * @example key-1
                                 */
                                readonly id: string;
                            } | null;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                        /**
                         * @description Whose order it is
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getPayment: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Payment */
                readonly paymentId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Payment
                         * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly id: string;
                        /**
                         * @description What is paid
                         * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly orderId: string;
                        /**
                         * @description Who buys
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                         * @example DE
                         */
                        readonly country: string;
                        /**
                         * @description Payment gateway
                         * @example sandbox
                         */
                        readonly gateway: string;
                        /**
                         * @description The gateway's own name for it; null until the gateway has answered
                         * @example pay_8f2k
                         */
                        readonly reference: string | null;
                        /**
                         * @description Whole minor units of the currency, such as cents
                         * @example 1999
                         */
                        readonly amount: number;
                        /**
                         * @description ISO 4217 currency code
                         * @example EUR
                         */
                        readonly currency: string;
                        /**
                         * @description How far it is
                         * @example captured
                         * @enum {string}
                         */
                        readonly status: "requested" | "pending" | "authorised" | "captured" | "failed" | "cancelled";
                        /**
                         * @description Whether the gateway was asked to take the money, and could not
                         * @example requested
                         */
                        readonly capture: ("requested" | "failed") | null;
                        /**
                         * @description Whether what is held is to be let go
                         * @example false
                         */
                        readonly unwanted: boolean;
                        /**
                         * @description Why it failed, if it did
                         * @example null
                         */
                        readonly failure: {
                            /**
                             * @description Why, for programs
                             * @example card-declined
                             */
                            readonly code: string;
                            /**
                             * @description Why, for people
                             * @example Ordered the wrong size
                             */
                            readonly reason: string;
                        } | null;
                        /** @description Refunds, the first one first */
                        readonly refunds: readonly {
                            /**
                             * @description Refund
                             * @example 0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly refundId: string;
                            /**
                             * @description Whole minor units of the currency, such as cents
                             * @example 1999
                             */
                            readonly amount: number;
                            /**
                             * @description Whether the money is on its way, is back or could not be given back
                             * @example refunded
                             * @enum {string}
                             */
                            readonly status: "requested" | "refunded" | "failed";
                            /**
                             * @description Why it failed, if it did
                             * @example null
                             */
                            readonly failure: {
                                /**
                                 * @description Why, for programs
                                 * @example card-declined
                                 */
                                readonly code: string;
                                /**
                                 * @description Why, for people
                                 * @example Ordered the wrong size
                                 */
                                readonly reason: string;
                            } | null;
                        }[];
                        /**
                         * @description What has been given back
                         * @example 0
                         */
                        readonly refunded: number;
                        /**
                         * @description How far its refunds are; `failed` needs a person until another is under way or all is paid back
                         * @example none
                         * @enum {string}
                         */
                        readonly refundStatus: "none" | "requested" | "failed" | "refunded";
                        /**
                         * Format: date-time
                         * @description When it was asked for
                         * @example 2026-01-15T09:31:00.000Z
                         */
                        readonly requestedAt: string;
                        /**
                         * @description Revision of the payment
                         * @example 4
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listPayments: {
        readonly parameters: {
            readonly query?: {
                readonly orderId?: string;
                readonly status?: "requested" | "pending" | "authorised" | "captured" | "failed" | "cancelled";
                readonly refundStatus?: "none" | "requested" | "failed" | "refunded";
                /** @description Asked for then or later */
                readonly requestedFrom?: string;
                /** @description Asked for then or before */
                readonly requestedTo?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Payment
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description What is paid
                             * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly orderId: string;
                            /**
                             * @description Who buys
                             * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly customerId: string;
                            /**
                             * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                             * @example DE
                             */
                            readonly country: string;
                            /**
                             * @description Payment gateway
                             * @example sandbox
                             */
                            readonly gateway: string;
                            /**
                             * @description The gateway's own name for it; null until the gateway has answered
                             * @example pay_8f2k
                             */
                            readonly reference: string | null;
                            /**
                             * @description Whole minor units of the currency, such as cents
                             * @example 1999
                             */
                            readonly amount: number;
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description How far it is
                             * @example captured
                             * @enum {string}
                             */
                            readonly status: "requested" | "pending" | "authorised" | "captured" | "failed" | "cancelled";
                            /**
                             * @description Whether the gateway was asked to take the money, and could not
                             * @example requested
                             */
                            readonly capture: ("requested" | "failed") | null;
                            /**
                             * @description Whether what is held is to be let go
                             * @example false
                             */
                            readonly unwanted: boolean;
                            /**
                             * @description Why it failed, if it did
                             * @example null
                             */
                            readonly failure: {
                                /**
                                 * @description Why, for programs
                                 * @example card-declined
                                 */
                                readonly code: string;
                                /**
                                 * @description Why, for people
                                 * @example Ordered the wrong size
                                 */
                                readonly reason: string;
                            } | null;
                            /** @description Refunds, the first one first */
                            readonly refunds: readonly {
                                /**
                                 * @description Refund
                                 * @example 0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly refundId: string;
                                /**
                                 * @description Whole minor units of the currency, such as cents
                                 * @example 1999
                                 */
                                readonly amount: number;
                                /**
                                 * @description Whether the money is on its way, is back or could not be given back
                                 * @example refunded
                                 * @enum {string}
                                 */
                                readonly status: "requested" | "refunded" | "failed";
                                /**
                                 * @description Why it failed, if it did
                                 * @example null
                                 */
                                readonly failure: {
                                    /**
                                     * @description Why, for programs
                                     * @example card-declined
                                     */
                                    readonly code: string;
                                    /**
                                     * @description Why, for people
                                     * @example Ordered the wrong size
                                     */
                                    readonly reason: string;
                                } | null;
                            }[];
                            /**
                             * @description What has been given back
                             * @example 0
                             */
                            readonly refunded: number;
                            /**
                             * @description How far its refunds are; `failed` needs a person until another is under way or all is paid back
                             * @example none
                             * @enum {string}
                             */
                            readonly refundStatus: "none" | "requested" | "failed" | "refunded";
                            /**
                             * Format: date-time
                             * @description When it was asked for
                             * @example 2026-01-15T09:31:00.000Z
                             */
                            readonly requestedAt: string;
                            /**
                             * @description Revision of the payment
                             * @example 4
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly salesSeries: {
        readonly parameters: {
            readonly query: {
                /** @description First day, in the time zone */
                readonly from: string;
                /** @description Last day, included */
                readonly to: string;
                /** @description Time zone whose days and hours count */
                readonly timeZone?: string;
                /** @description ISO 4217 currency code */
                readonly currency: string;
                /** @description Length of the steps: at most 31 days by hour, 731 by day, ten years by month */
                readonly interval?: "hour" | "day" | "month";
                /** @description Only sales of this product */
                readonly productId?: string;
                /** @description Only sales of this category */
                readonly categoryId?: string;
                /** @description Only sales to this country */
                readonly country?: string;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description Every hour, day or month of the range, in order */
                        readonly items: readonly {
                            /**
                             * @description Orders that were paid; of a product, category or country: those with it
                             * @example 3
                             */
                            readonly orders: number;
                            /**
                             * @description Pieces sold
                             * @example 7
                             */
                            readonly units: number;
                            /**
                             * @description Pieces paid back
                             * @example 1
                             */
                            readonly unitsRefunded: number;
                            /**
                             * @description Price of the pieces sold, tax included, in minor units
                             * @example 17493
                             */
                            readonly gross: number;
                            /**
                             * @description Given back for pieces, tax included, in minor units
                             * @example 2499
                             */
                            readonly refunded: number;
                            /**
                             * @description Tax in the revenue, in minor units
                             * @example 2394
                             */
                            readonly tax: number;
                            /**
                             * @description Paid for shipping less what was given back of it, tax included, in minor units
                             * @example 1470
                             */
                            readonly shipping: number;
                            /**
                             * @description Tax in `shipping`, in minor units
                             * @example 235
                             */
                            readonly shippingTax: number;
                            /**
                             * @description `gross` less `refunded`, in minor units
                             * @example 14994
                             */
                            readonly revenue: number;
                            /**
                             * @description `gross` for each order, in minor units, rounded down; null where there is no order
                             * @example 5831
                             */
                            readonly averageOrderValue: number | null;
                            /**
                             * @description When the hour, day or month begins in the time zone
                             * @example 2026-01-15T00:00:00+01:00
                             */
                            readonly start: string;
                        }[];
                        /** @description The sum of all of them */
                        readonly total: {
                            /**
                             * @description Orders that were paid; of a product, category or country: those with it
                             * @example 3
                             */
                            readonly orders: number;
                            /**
                             * @description Pieces sold
                             * @example 7
                             */
                            readonly units: number;
                            /**
                             * @description Pieces paid back
                             * @example 1
                             */
                            readonly unitsRefunded: number;
                            /**
                             * @description Price of the pieces sold, tax included, in minor units
                             * @example 17493
                             */
                            readonly gross: number;
                            /**
                             * @description Given back for pieces, tax included, in minor units
                             * @example 2499
                             */
                            readonly refunded: number;
                            /**
                             * @description Tax in the revenue, in minor units
                             * @example 2394
                             */
                            readonly tax: number;
                            /**
                             * @description Paid for shipping less what was given back of it, tax included, in minor units
                             * @example 1470
                             */
                            readonly shipping: number;
                            /**
                             * @description Tax in `shipping`, in minor units
                             * @example 235
                             */
                            readonly shippingTax: number;
                            /**
                             * @description `gross` less `refunded`, in minor units
                             * @example 14994
                             */
                            readonly revenue: number;
                            /**
                             * @description `gross` for each order, in minor units, rounded down; null where there is no order
                             * @example 5831
                             */
                            readonly averageOrderValue: number | null;
                        };
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly salesByProduct: {
        readonly parameters: {
            readonly query: {
                /** @description First day, in the time zone */
                readonly from: string;
                /** @description Last day, included */
                readonly to: string;
                /** @description Time zone whose days and hours count */
                readonly timeZone?: string;
                /** @description ISO 4217 currency code */
                readonly currency: string;
                /** @description How many to show, those of the highest revenue first */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description Products, the highest revenue first */
                        readonly items: readonly {
                            /**
                             * @description Orders that were paid; of a product, category or country: those with it
                             * @example 3
                             */
                            readonly orders: number;
                            /**
                             * @description Pieces sold
                             * @example 7
                             */
                            readonly units: number;
                            /**
                             * @description Pieces paid back
                             * @example 1
                             */
                            readonly unitsRefunded: number;
                            /**
                             * @description Price of the pieces sold, tax included, in minor units
                             * @example 17493
                             */
                            readonly gross: number;
                            /**
                             * @description Given back for pieces, tax included, in minor units
                             * @example 2499
                             */
                            readonly refunded: number;
                            /**
                             * @description Tax in the revenue, in minor units
                             * @example 2394
                             */
                            readonly tax: number;
                            /**
                             * @description `gross` less `refunded`, in minor units
                             * @example 14994
                             */
                            readonly revenue: number;
                            /**
                             * @description `gross` for each order, in minor units, rounded down; null where there is no order
                             * @example 5831
                             */
                            readonly averageOrderValue: number | null;
                            /**
                             * @description Product
                             * @example blue-teapot
                             */
                            readonly productId: string;
                            /**
                             * @description What it was last called
                             * @example Blue teapot
                             */
                            readonly title: string | null;
                        }[];
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly salesByCategory: {
        readonly parameters: {
            readonly query: {
                /** @description First day, in the time zone */
                readonly from: string;
                /** @description Last day, included */
                readonly to: string;
                /** @description Time zone whose days and hours count */
                readonly timeZone?: string;
                /** @description ISO 4217 currency code */
                readonly currency: string;
                /** @description How many to show, those of the highest revenue first */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description Categories, the highest revenue first */
                        readonly items: readonly {
                            /**
                             * @description Orders that were paid; of a product, category or country: those with it
                             * @example 3
                             */
                            readonly orders: number;
                            /**
                             * @description Pieces sold
                             * @example 7
                             */
                            readonly units: number;
                            /**
                             * @description Pieces paid back
                             * @example 1
                             */
                            readonly unitsRefunded: number;
                            /**
                             * @description Price of the pieces sold, tax included, in minor units
                             * @example 17493
                             */
                            readonly gross: number;
                            /**
                             * @description Given back for pieces, tax included, in minor units
                             * @example 2499
                             */
                            readonly refunded: number;
                            /**
                             * @description Tax in the revenue, in minor units
                             * @example 2394
                             */
                            readonly tax: number;
                            /**
                             * @description `gross` less `refunded`, in minor units
                             * @example 14994
                             */
                            readonly revenue: number;
                            /**
                             * @description `gross` for each order, in minor units, rounded down; null where there is no order
                             * @example 5831
                             */
                            readonly averageOrderValue: number | null;
                            /**
                             * @description Category
                             * @example teapots
                             */
                            readonly categoryId: string;
                        }[];
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly salesByCountry: {
        readonly parameters: {
            readonly query: {
                /** @description First day, in the time zone */
                readonly from: string;
                /** @description Last day, included */
                readonly to: string;
                /** @description Time zone whose days and hours count */
                readonly timeZone?: string;
                /** @description ISO 4217 currency code */
                readonly currency: string;
                /** @description How many to show, those of the highest revenue first */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description Countries, the highest revenue first */
                        readonly items: readonly {
                            /**
                             * @description Orders that were paid; of a product, category or country: those with it
                             * @example 3
                             */
                            readonly orders: number;
                            /**
                             * @description Pieces sold
                             * @example 7
                             */
                            readonly units: number;
                            /**
                             * @description Pieces paid back
                             * @example 1
                             */
                            readonly unitsRefunded: number;
                            /**
                             * @description Price of the pieces sold, tax included, in minor units
                             * @example 17493
                             */
                            readonly gross: number;
                            /**
                             * @description Given back for pieces, tax included, in minor units
                             * @example 2499
                             */
                            readonly refunded: number;
                            /**
                             * @description Tax in the revenue, in minor units
                             * @example 2394
                             */
                            readonly tax: number;
                            /**
                             * @description Paid for shipping less what was given back of it, tax included, in minor units
                             * @example 1470
                             */
                            readonly shipping: number;
                            /**
                             * @description Tax in `shipping`, in minor units
                             * @example 235
                             */
                            readonly shippingTax: number;
                            /**
                             * @description `gross` less `refunded`, in minor units
                             * @example 14994
                             */
                            readonly revenue: number;
                            /**
                             * @description `gross` for each order, in minor units, rounded down; null where there is no order
                             * @example 5831
                             */
                            readonly averageOrderValue: number | null;
                            /**
                             * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                             * @example DE
                             */
                            readonly country: string;
                        }[];
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listDeadLetters: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those of this process manager or job */
                readonly name?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description What failed: a process manager, or a job
                             * @example reaction
                             * @enum {string}
                             */
                            readonly source: "reaction" | "job";
                            /**
                             * @description Name of the process manager or job
                             * @example fulfil-order
                             */
                            readonly name: string;
                            /**
                             * @description Id of what it was done for
                             * @example 0198f0c2-order
                             */
                            readonly subject: string;
                            /**
                             * @description Position of the event that was reacted to, in the log in which it was set aside; 0 for jobs
                             * @example 4711
                             */
                            readonly position: number;
                            /** @description The event that was reacted to; absent for jobs, and for what was set aside long ago */
                            readonly event?: {
                                /**
                                 * @description Stream of the event
                                 * @example order-0198f0c2
                                 */
                                readonly stream: string;
                                /**
                                 * @description Its place in the stream, the same in every log
                                 * @example 3
                                 */
                                readonly revision: number;
                            };
                            /**
                             * @description When the job was due; absent for reactions, and for what was set aside long ago
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly dueAt?: string;
                            /**
                             * @description Why it failed
                             * @example order-not-found: There is no such order.
                             */
                            readonly reason: string;
                            /**
                             * @description It can be retried, and not be discarded; absent for what can
                             * @example true
                             * @constant
                             */
                            readonly mustBeDone?: true;
                            /**
                             * @description Dead letter
                             * @example 0198f0c2-6666-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * Format: date-time
                             * @description When it was set aside, the last time
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly raisedAt: string;
                            /**
                             * @description Revision of the dead letter, for `If-Match`
                             * @example 0
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getDeadLetter: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Dead letter */
                readonly deadLetterId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description What failed: a process manager, or a job
                         * @example reaction
                         * @enum {string}
                         */
                        readonly source: "reaction" | "job";
                        /**
                         * @description Name of the process manager or job
                         * @example fulfil-order
                         */
                        readonly name: string;
                        /**
                         * @description Id of what it was done for
                         * @example 0198f0c2-order
                         */
                        readonly subject: string;
                        /**
                         * @description Position of the event that was reacted to, in the log in which it was set aside; 0 for jobs
                         * @example 4711
                         */
                        readonly position: number;
                        /** @description The event that was reacted to; absent for jobs, and for what was set aside long ago */
                        readonly event?: {
                            /**
                             * @description Stream of the event
                             * @example order-0198f0c2
                             */
                            readonly stream: string;
                            /**
                             * @description Its place in the stream, the same in every log
                             * @example 3
                             */
                            readonly revision: number;
                        };
                        /**
                         * @description When the job was due; absent for reactions, and for what was set aside long ago
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly dueAt?: string;
                        /**
                         * @description Why it failed
                         * @example order-not-found: There is no such order.
                         */
                        readonly reason: string;
                        /**
                         * @description It can be retried, and not be discarded; absent for what can
                         * @example true
                         * @constant
                         */
                        readonly mustBeDone?: true;
                        /**
                         * @description Dead letter
                         * @example 0198f0c2-6666-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly id: string;
                        /**
                         * Format: date-time
                         * @description When it was set aside, the last time
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly raisedAt: string;
                        /**
                         * @description Revision of the dead letter, for `If-Match`
                         * @example 0
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listWebhookDeliveries: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those */
                readonly status?: "pending" | "delivered" | "failed";
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Webhook */
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Delivery; the receiver knows it as `webhook-id`
                             * @example 0198f0c2-7777-7a34
                             */
                            readonly id: string;
                            /**
                             * @description Webhook
                             * @example erp
                             */
                            readonly webhookId: string;
                            /**
                             * @description Event; null for a test
                             * @example 0b6cd2b5-3c10-5b0e
                             */
                            readonly eventId: string | null;
                            /**
                             * @description Its type; null for a test
                             * @example OrderConfirmed
                             */
                            readonly eventType: string | null;
                            /**
                             * @description Its stream; null for a test
                             * @example order-0198f0c2
                             */
                            readonly stream: string | null;
                            /**
                             * @description How it stands
                             * @example delivered
                             * @enum {string}
                             */
                            readonly status: "pending" | "delivered" | "failed";
                            /**
                             * Format: date-time
                             * @description When it was asked for
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly requestedAt: string;
                            /**
                             * @description When it is tried next; null where it is not
                             * @example null
                             */
                            readonly nextAttemptAt: string | null;
                            /** @description The latest attempts, at most 20, the oldest first */
                            readonly attempts: readonly {
                                /**
                                 * @description Number of the attempt, from 1
                                 * @example 1
                                 */
                                readonly attempt: number;
                                /**
                                 * Format: date-time
                                 * @description When it ended
                                 * @example 2026-01-15T09:30:00.000Z
                                 */
                                readonly at: string;
                                /**
                                 * @description Milliseconds that the call took
                                 * @example 84
                                 */
                                readonly tookMs: number;
                                /**
                                 * @description HTTP status of the answer; null without one
                                 * @example 200
                                 */
                                readonly status: number | null;
                                /**
                                 * @description Why it failed, for programs; null where it did not
                                 * @example null
                                 */
                                readonly code: string | null;
                            }[];
                            /**
                             * @description Revision of the delivery, for `If-Match`
                             * @example 1
                             */
                            readonly revision: number;
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly getWebhookDelivery: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly deliveryId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly ETag: components["headers"]["ETag"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Delivery; the receiver knows it as `webhook-id`
                         * @example 0198f0c2-7777-7a34
                         */
                        readonly id: string;
                        /**
                         * @description Webhook
                         * @example erp
                         */
                        readonly webhookId: string;
                        /**
                         * @description Event; null for a test
                         * @example 0b6cd2b5-3c10-5b0e
                         */
                        readonly eventId: string | null;
                        /**
                         * @description Its type; null for a test
                         * @example OrderConfirmed
                         */
                        readonly eventType: string | null;
                        /**
                         * @description Its stream; null for a test
                         * @example order-0198f0c2
                         */
                        readonly stream: string | null;
                        /**
                         * @description How it stands
                         * @example delivered
                         * @enum {string}
                         */
                        readonly status: "pending" | "delivered" | "failed";
                        /**
                         * Format: date-time
                         * @description When it was asked for
                         * @example 2026-01-15T09:30:00.000Z
                         */
                        readonly requestedAt: string;
                        /**
                         * @description When it is tried next; null where it is not
                         * @example null
                         */
                        readonly nextAttemptAt: string | null;
                        /** @description The latest attempts, at most 20, the oldest first */
                        readonly attempts: readonly {
                            /**
                             * @description Number of the attempt, from 1
                             * @example 1
                             */
                            readonly attempt: number;
                            /**
                             * Format: date-time
                             * @description When it ended
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly at: string;
                            /**
                             * @description Milliseconds that the call took
                             * @example 84
                             */
                            readonly tookMs: number;
                            /**
                             * @description HTTP status of the answer; null without one
                             * @example 200
                             */
                            readonly status: number | null;
                            /**
                             * @description Why it failed, for programs; null where it did not
                             * @example null
                             */
                            readonly code: string | null;
                        }[];
                        /**
                         * @description Revision of the delivery, for `If-Match`
                         * @example 1
                         */
                        readonly revision: number;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listOpenWork: {
        readonly parameters: {
            readonly query?: {
                /** @description Only this kind of work */
                readonly job?: string;
                /** @description Only what is due then or before */
                readonly dueTo?: string;
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
                /** @description Most items on the page */
                readonly limit?: number;
            };
            readonly header?: {
                /** @description Answers only once what is read has come so far; otherwise 503. */
                readonly "Daybook-Position"?: components["parameters"]["Position"];
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The answer. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly "Daybook-Position": components["headers"]["Position"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description The items of this page, in order */
                        readonly items: readonly {
                            /**
                             * @description Id of the job
                             * @example authorise-payment:0198f0c2
                             */
                            readonly id: string;
                            /**
                             * @description Kind of work
                             * @example authorise-payment
                             */
                            readonly job: string;
                            /**
                             * @description Id of what it is done for
                             * @example 0198f0c2
                             */
                            readonly target: string;
                            /**
                             * @description Tells several jobs of one kind for one target apart
                             * @example
                             */
                            readonly key: string;
                            /**
                             * @description When it is due
                             * @example 2026-01-01T12:00:00.000Z
                             */
                            readonly dueAt: string;
                            /**
                             * @description When the event that asked for it was recorded
                             * @example 2026-01-01T12:00:00.000Z
                             */
                            readonly openedAt: string;
                            /**
                             * @description Names the request that it follows from
                             * @example 4bf92f35-77b3-4da6-a3ce-929d0e0e4736
                             */
                            readonly correlationId: string;
                            /**
                             * @description `open`: it was set aside and waits for an operator; `retried`: it was, and is to be tried again
                             * @example retried
                             * @enum {string}
                             */
                            readonly deadLetter?: "open" | "retried";
                        }[];
                        /**
                         * @description Cursor of the next page; null on the last one
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                        /**
                         * @description Cursor of the page before; null on the first one
                         * @example null
                         */
                        readonly previous: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 410: components["responses"]["Problem410"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly registerAccount: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: email
                     * @description E-mail address
                     * @example ada@example.com
                     */
                    readonly email: string;
                    /**
                     * @description Full name
                     * @example Ada Lovelace
                     */
                    readonly name: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Always this
                         * @example accepted
                         * @constant
                         */
                        readonly status: "accepted";
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly confirmAccount: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Token of the mail
                     * @example eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0
                     */
                    readonly token: string;
                    /**
                     * @description New password: 8 to 200 characters of any kind, and none that is easy to guess: not one of the most common, one character repeated, or the person's name or e-mail address
                     * @example correct horse battery staple
                     */
                    readonly password: string;
                    /**
                     * @description Token of the guest whose cart is to be taken along
                     * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl
                     */
                    readonly guestToken?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Who it is
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * Format: uuid
                         * @description Session
                         * @example 0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88
                         */
                        readonly sessionId: string;
                        /**
                         * @description Access token, to be sent as `Authorization: Bearer`
                         * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiY3VzdG9tZXIifQ.c2lnbmF0dXJl
                         */
                        readonly token: string;
                        /**
                         * Format: date-time
                         * @description Until when the access token is good
                         * @example 2026-02-14T09:45:00.000Z
                         */
                        readonly expiresAt: string;
                        /**
                         * @description Gives the next access token, once; the answer has the next refresh token
                         * @example dbr_AZjw8QAAejSbDj8sHVp7iA
                         */
                        readonly refreshToken: string;
                        /**
                         * Format: date-time
                         * @description When the session ends unless it is used before
                         * @example 2026-03-16T09:30:00.000Z
                         */
                        readonly refreshExpiresAt: string;
                        /** @description What became of the guest's cart; null where there was none to take, or it could not be taken now */
                        readonly cart: {
                            /**
                             * @description The customer's cart now
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description `handed-over`: the guest's cart is the customer's now. `larger-quantity`: it went into the customer's cart, where of each SKU the larger number of pieces stays
                             * @example larger-quantity
                             * @enum {string}
                             */
                            readonly rule: "handed-over" | "larger-quantity";
                            /**
                             * @description SKUs that came into it
                             * @example [
                             *       "TEAPOT-BLUE"
                             *     ]
                             */
                            readonly added: readonly string[];
                            /**
                             * @description SKUs of which it has more than before
                             * @example []
                             */
                            readonly raised: readonly string[];
                            /**
                             * @description SKUs that found no place
                             * @example []
                             */
                            readonly left: readonly string[];
                            /**
                             * @description To be sent as `Daybook-Position` with the query for the cart
                             * @example YWJjLjQy
                             */
                            readonly position: string;
                        } | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly logIn: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: email
                     * @description E-mail address
                     * @example ada@example.com
                     */
                    readonly email: string;
                    /**
                     * @description Password
                     * @example correct horse battery staple
                     */
                    readonly password: string;
                    /**
                     * @description Token of the guest whose cart is to be taken along
                     * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl
                     */
                    readonly guestToken?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Who it is
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * Format: uuid
                         * @description Session
                         * @example 0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88
                         */
                        readonly sessionId: string;
                        /**
                         * @description Access token, to be sent as `Authorization: Bearer`
                         * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiY3VzdG9tZXIifQ.c2lnbmF0dXJl
                         */
                        readonly token: string;
                        /**
                         * Format: date-time
                         * @description Until when the access token is good
                         * @example 2026-02-14T09:45:00.000Z
                         */
                        readonly expiresAt: string;
                        /**
                         * @description Gives the next access token, once; the answer has the next refresh token
                         * @example dbr_AZjw8QAAejSbDj8sHVp7iA
                         */
                        readonly refreshToken: string;
                        /**
                         * Format: date-time
                         * @description When the session ends unless it is used before
                         * @example 2026-03-16T09:30:00.000Z
                         */
                        readonly refreshExpiresAt: string;
                        /** @description What became of the guest's cart; null where there was none to take, or it could not be taken now */
                        readonly cart: {
                            /**
                             * @description The customer's cart now
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description `handed-over`: the guest's cart is the customer's now. `larger-quantity`: it went into the customer's cart, where of each SKU the larger number of pieces stays
                             * @example larger-quantity
                             * @enum {string}
                             */
                            readonly rule: "handed-over" | "larger-quantity";
                            /**
                             * @description SKUs that came into it
                             * @example [
                             *       "TEAPOT-BLUE"
                             *     ]
                             */
                            readonly added: readonly string[];
                            /**
                             * @description SKUs of which it has more than before
                             * @example []
                             */
                            readonly raised: readonly string[];
                            /**
                             * @description SKUs that found no place
                             * @example []
                             */
                            readonly left: readonly string[];
                            /**
                             * @description To be sent as `Daybook-Position` with the query for the cart
                             * @example YWJjLjQy
                             */
                            readonly position: string;
                        } | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly forgotPassword: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: email
                     * @description E-mail address
                     * @example ada@example.com
                     */
                    readonly email: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Always this
                         * @example accepted
                         * @constant
                         */
                        readonly status: "accepted";
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly resetPassword: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Token of the mail
                     * @example eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0
                     */
                    readonly token: string;
                    /**
                     * @description New password: 8 to 200 characters of any kind, and none that is easy to guess: not one of the most common, one character repeated, or the person's name or e-mail address
                     * @example correct horse battery staple
                     */
                    readonly password: string;
                    /**
                     * @description Token of the guest whose cart is to be taken along
                     * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl
                     */
                    readonly guestToken?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Who it is
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * Format: uuid
                         * @description Session
                         * @example 0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88
                         */
                        readonly sessionId: string;
                        /**
                         * @description Access token, to be sent as `Authorization: Bearer`
                         * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiY3VzdG9tZXIifQ.c2lnbmF0dXJl
                         */
                        readonly token: string;
                        /**
                         * Format: date-time
                         * @description Until when the access token is good
                         * @example 2026-02-14T09:45:00.000Z
                         */
                        readonly expiresAt: string;
                        /**
                         * @description Gives the next access token, once; the answer has the next refresh token
                         * @example dbr_AZjw8QAAejSbDj8sHVp7iA
                         */
                        readonly refreshToken: string;
                        /**
                         * Format: date-time
                         * @description When the session ends unless it is used before
                         * @example 2026-03-16T09:30:00.000Z
                         */
                        readonly refreshExpiresAt: string;
                        /** @description What became of the guest's cart; null where there was none to take, or it could not be taken now */
                        readonly cart: {
                            /**
                             * @description The customer's cart now
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description `handed-over`: the guest's cart is the customer's now. `larger-quantity`: it went into the customer's cart, where of each SKU the larger number of pieces stays
                             * @example larger-quantity
                             * @enum {string}
                             */
                            readonly rule: "handed-over" | "larger-quantity";
                            /**
                             * @description SKUs that came into it
                             * @example [
                             *       "TEAPOT-BLUE"
                             *     ]
                             */
                            readonly added: readonly string[];
                            /**
                             * @description SKUs of which it has more than before
                             * @example []
                             */
                            readonly raised: readonly string[];
                            /**
                             * @description SKUs that found no place
                             * @example []
                             */
                            readonly left: readonly string[];
                            /**
                             * @description To be sent as `Daybook-Position` with the query for the cart
                             * @example YWJjLjQy
                             */
                            readonly position: string;
                        } | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly changePassword: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Password
                     * @example correct horse battery staple
                     */
                    readonly password: string;
                    /**
                     * @description New password: 8 to 200 characters of any kind, and none that is easy to guess: not one of the most common, one character repeated, or the person's name or e-mail address
                     * @example correct horse battery staple
                     */
                    readonly newPassword: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 204: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly refreshSession: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Refresh token
                     * @example dbr_AZjw8QAAejSbDj8sHVp7iA
                     */
                    readonly refreshToken: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Who it is
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * Format: uuid
                         * @description Session
                         * @example 0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88
                         */
                        readonly sessionId: string;
                        /**
                         * @description Access token, to be sent as `Authorization: Bearer`
                         * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiY3VzdG9tZXIifQ.c2lnbmF0dXJl
                         */
                        readonly token: string;
                        /**
                         * Format: date-time
                         * @description Until when the access token is good
                         * @example 2026-02-14T09:45:00.000Z
                         */
                        readonly expiresAt: string;
                        /**
                         * @description Gives the next access token, once; the answer has the next refresh token
                         * @example dbr_AZjw8QAAejSbDj8sHVp7iA
                         */
                        readonly refreshToken: string;
                        /**
                         * Format: date-time
                         * @description When the session ends unless it is used before
                         * @example 2026-03-16T09:30:00.000Z
                         */
                        readonly refreshExpiresAt: string;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly logOut: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Refresh token
                     * @example dbr_AZjw8QAAejSbDj8sHVp7iA
                     */
                    readonly refreshToken?: string;
                    /**
                     * @description End all sessions
                     * @default false
                     * @example false
                     */
                    readonly everywhere?: boolean;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 204: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listSessions: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description Sessions, at most 50 */
                        readonly items: readonly {
                            /**
                             * Format: uuid
                             * @description Session
                             * @example 0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * Format: date-time
                             * @description When somebody logged in
                             * @example 2026-02-14T09:30:00.000Z
                             */
                            readonly beganAt: string;
                            /**
                             * Format: date-time
                             * @description When it was last refreshed
                             * @example 2026-02-14T09:45:00.000Z
                             */
                            readonly usedAt: string;
                            /**
                             * Format: date-time
                             * @description When it ends
                             * @example 2026-03-16T09:45:00.000Z
                             */
                            readonly expiresAt: string;
                        }[];
                        /**
                         * @description The session that asks
                         * @example 0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88
                         */
                        readonly current: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly endSession: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Session */
                readonly sessionId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 204: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly whoAmI: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Customer or guest
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * @description Whether it is a guest
                         * @example customer
                         * @enum {string}
                         */
                        readonly kind: "customer" | "guest";
                        /**
                         * @description Whether the shop knows name and address
                         * @example true
                         */
                        readonly registered: boolean;
                        /**
                         * @description E-mail address, if known
                         * @example ada@example.com
                         */
                        readonly email: string | null;
                        /**
                         * @description Name, if known
                         * @example Ada Lovelace
                         */
                        readonly name: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly takeGuestCart: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Token of the guest whose cart is to be taken along
                     * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl
                     */
                    readonly guestToken: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description Null where there was none to take */
                        readonly cart: {
                            /**
                             * @description The customer's cart now
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description `handed-over`: the guest's cart is the customer's now. `larger-quantity`: it went into the customer's cart, where of each SKU the larger number of pieces stays
                             * @example larger-quantity
                             * @enum {string}
                             */
                            readonly rule: "handed-over" | "larger-quantity";
                            /**
                             * @description SKUs that came into it
                             * @example [
                             *       "TEAPOT-BLUE"
                             *     ]
                             */
                            readonly added: readonly string[];
                            /**
                             * @description SKUs of which it has more than before
                             * @example []
                             */
                            readonly raised: readonly string[];
                            /**
                             * @description SKUs that found no place
                             * @example []
                             */
                            readonly left: readonly string[];
                            /**
                             * @description To be sent as `Daybook-Position` with the query for the cart
                             * @example YWJjLjQy
                             */
                            readonly position: string;
                        } | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly claimProfile: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Full name
                     * @example Ada Lovelace
                     */
                    readonly name?: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Customer
                         * @example 0198f0c2-1111-5a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly exportCustomer: {
        readonly parameters: {
            readonly query?: {
                /** @description Where to go on: `next` or `previous` of another page of the same query */
                readonly cursor?: string;
            };
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly customerId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description Customer or guest
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /** @description Profile, addresses and figures; null for a guest who never ordered */
                        readonly customer: {
                            /**
                             * @description Customer
                             * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Whether the customer has an account
                             * @example guest
                             * @enum {string}
                             */
                            readonly buyer: "member" | "guest";
                            /**
                             * @description E-mail address
                             * @example ada@example.com
                             */
                            readonly email: string | null;
                            /**
                             * @description Full name
                             * @example Ada Lovelace
                             */
                            readonly name: string | null;
                            /** @description Saved addresses */
                            readonly addresses: readonly {
                                /**
                                 * @description Names the address within the customer
                                 * @example home
                                 */
                                readonly addressId: string;
                                /**
                                 * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                                 * @example DE
                                 */
                                readonly country: string;
                                /**
                                 * @description Postal address
                                 * @example {
                                 *       "name": "Ada Lovelace",
                                 *       "line1": "12 St James Square",
                                 *       "city": "London",
                                 *       "postalCode": "SW1Y 4JH"
                                 *     }
                                 */
                                readonly address: {
                                    /**
                                     * @description Who receives it
                                     * @example Ada Lovelace
                                     */
                                    readonly name: string;
                                    /**
                                     * @description Street and number
                                     * @example 12 St James Square
                                     */
                                    readonly line1: string;
                                    /**
                                     * @description Second line
                                     * @example Second floor
                                     */
                                    readonly line2?: string;
                                    /**
                                     * @description City
                                     * @example London
                                     */
                                    readonly city: string;
                                    /**
                                     * @description State or province
                                     * @example Greater London
                                     */
                                    readonly region?: string;
                                    /**
                                     * @description Postal code
                                     * @example SW1Y 4JH
                                     */
                                    readonly postalCode: string;
                                    /**
                                     * @description Telephone number
                                     * @example +44 20 7946 0000
                                     */
                                    readonly phone?: string;
                                } | null;
                            }[];
                            /**
                             * @description The shop's own values of the customer, at most 50; personal like the name
                             * @example {
                             *       "newsletter": true
                             *     }
                             */
                            readonly attributes: {
                                readonly [key: string]: string | number | boolean;
                            } | null;
                            /**
                             * Format: date-time
                             * @description When the customer registered; of guests, when they first ordered
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly createdAt: string;
                            /**
                             * @description Number of orders that were paid
                             * @example 3
                             */
                            readonly orders: number;
                            /**
                             * @description Paid for orders less what was given back, in minor units by currency
                             * @example {
                             *       "EUR": 16470
                             *     }
                             */
                            readonly spent: {
                                readonly [key: string]: number;
                            };
                            /**
                             * @description When the latest order that was paid was placed
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly lastOrderAt: string | null;
                            /**
                             * @description Whether all personal data was deleted
                             * @example false
                             */
                            readonly forgotten: boolean;
                            /**
                             * @description Revision of the customer, for `If-Match`; null for a guest, of whom only orders know
                             * @example 2
                             */
                            readonly revision: number | null;
                        } | null;
                        /** @description Where the person has logged in, at most 50 */
                        readonly sessions: readonly {
                            /**
                             * Format: uuid
                             * @description Session
                             * @example 0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * Format: date-time
                             * @description When somebody logged in
                             * @example 2026-02-14T09:30:00.000Z
                             */
                            readonly beganAt: string;
                            /**
                             * Format: date-time
                             * @description When it was last refreshed
                             * @example 2026-02-14T09:45:00.000Z
                             */
                            readonly usedAt: string;
                            /**
                             * Format: date-time
                             * @description When it ends
                             * @example 2026-03-16T09:45:00.000Z
                             */
                            readonly expiresAt: string;
                        }[];
                        /** @description Open carts, the newest first, at most 20; those that were ordered are orders */
                        readonly carts: readonly {
                            /**
                             * @description Id of the cart
                             * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Whose cart it is
                             * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly customerId: string;
                            /**
                             * @description Whether the customer has an account
                             * @example guest
                             * @enum {string}
                             */
                            readonly buyer: "member" | "guest";
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description Language tag (BCP 47)
                             * @example en
                             */
                            readonly language: string;
                            /** @description Lines in the order in which they were added */
                            readonly lines: readonly {
                                /**
                                 * @description Stock keeping unit: names one variant of a product; case counts
                                 * @example TEAPOT-BLUE
                                 */
                                readonly sku: string;
                                /**
                                 * @description Identifier
                                 * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly productId: string;
                                /**
                                 * @description Short text
                                 * @example Blue teapot
                                 */
                                readonly title: string;
                                /**
                                 * @description Whole minor units of the currency, such as cents
                                 * @example 1999
                                 */
                                readonly unitPrice: number;
                                /**
                                 * @description Number of pieces
                                 * @example 2
                                 */
                                readonly quantity: number;
                                /**
                                 * @description Price of all pieces, tax included
                                 * @example 4998
                                 */
                                readonly amount: number;
                            }[];
                            /**
                             * @description Where it goes; null as yet
                             * @example DE
                             */
                            readonly country: string | null;
                            /**
                             * @description E-mail address
                             * @example ada@example.com
                             */
                            readonly email: string | null;
                            /**
                             * @description Postal address
                             * @example {
                             *       "name": "Ada Lovelace",
                             *       "line1": "12 St James Square",
                             *       "city": "London",
                             *       "postalCode": "SW1Y 4JH"
                             *     }
                             */
                            readonly shippingAddress: {
                                /**
                                 * @description Who receives it
                                 * @example Ada Lovelace
                                 */
                                readonly name: string;
                                /**
                                 * @description Street and number
                                 * @example 12 St James Square
                                 */
                                readonly line1: string;
                                /**
                                 * @description Second line
                                 * @example Second floor
                                 */
                                readonly line2?: string;
                                /**
                                 * @description City
                                 * @example London
                                 */
                                readonly city: string;
                                /**
                                 * @description State or province
                                 * @example Greater London
                                 */
                                readonly region?: string;
                                /**
                                 * @description Postal code
                                 * @example SW1Y 4JH
                                 */
                                readonly postalCode: string;
                                /**
                                 * @description Telephone number
                                 * @example +44 20 7946 0000
                                 */
                                readonly phone?: string;
                            } | null;
                            /**
                             * @description How it is sent; null as yet
                             * @example {
                             *       "method": "standard",
                             *       "title": "Standard",
                             *       "amount": 490
                             *     }
                             */
                            readonly shipping: {
                                /**
                                 * @description Code of a shipping method
                                 * @example standard
                                 */
                                readonly method: string;
                                /**
                                 * @description Short text
                                 * @example Blue teapot
                                 */
                                readonly title: string;
                                /**
                                 * @description Whole minor units of the currency, such as cents
                                 * @example 1999
                                 */
                                readonly amount: number;
                            } | null;
                            /**
                             * @description Sum of the lines, tax included
                             * @example 4998
                             */
                            readonly subtotal: number;
                            /**
                             * @description Lines, and shipping as far as it is chosen, tax included
                             * @example 5488
                             */
                            readonly total: number;
                            /**
                             * @description Whether it has become an order
                             * @example false
                             */
                            readonly checkedOut: boolean;
                            /**
                             * @description Order that it has become; null as yet
                             * @example null
                             */
                            readonly orderId: string | null;
                            /**
                             * Format: date-time
                             * @description When it was opened
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly openedAt: string;
                            /**
                             * Format: date-time
                             * @description When it was last changed
                             * @example 2026-01-15T09:35:00.000Z
                             */
                            readonly changedAt: string;
                            /**
                             * @description Revision of the cart, for `If-Match`
                             * @example 4
                             */
                            readonly revision: number;
                        }[];
                        /** @description Orders, the newest first, 20 at a time */
                        readonly orders: readonly {
                            /**
                             * @description Order
                             * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly id: string;
                            /**
                             * @description Number of the order for people
                             * @example D-7KQ4-M2XA
                             */
                            readonly number: string;
                            /**
                             * @description Who buys
                             * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                             */
                            readonly customerId: string;
                            /**
                             * @description Whether the customer has an account
                             * @example guest
                             * @enum {string}
                             */
                            readonly buyer: "member" | "guest";
                            /**
                             * @description ISO 4217 currency code
                             * @example EUR
                             */
                            readonly currency: string;
                            /**
                             * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                             * @example DE
                             */
                            readonly country: string;
                            /**
                             * @description Language tag (BCP 47)
                             * @example en
                             */
                            readonly language: string;
                            /**
                             * @description E-mail address
                             * @example ada@example.com
                             */
                            readonly email: string | null;
                            /**
                             * @description Postal address
                             * @example {
                             *       "name": "Ada Lovelace",
                             *       "line1": "12 St James Square",
                             *       "city": "London",
                             *       "postalCode": "SW1Y 4JH"
                             *     }
                             */
                            readonly shippingAddress: {
                                /**
                                 * @description Who receives it
                                 * @example Ada Lovelace
                                 */
                                readonly name: string;
                                /**
                                 * @description Street and number
                                 * @example 12 St James Square
                                 */
                                readonly line1: string;
                                /**
                                 * @description Second line
                                 * @example Second floor
                                 */
                                readonly line2?: string;
                                /**
                                 * @description City
                                 * @example London
                                 */
                                readonly city: string;
                                /**
                                 * @description State or province
                                 * @example Greater London
                                 */
                                readonly region?: string;
                                /**
                                 * @description Postal code
                                 * @example SW1Y 4JH
                                 */
                                readonly postalCode: string;
                                /**
                                 * @description Telephone number
                                 * @example +44 20 7946 0000
                                 */
                                readonly phone?: string;
                            } | null;
                            /** @description Lines of the order */
                            readonly lines: readonly {
                                /**
                                 * @description Names the line within the order: its SKU, or a number
                                 * @example TEAPOT-BLUE
                                 */
                                readonly lineId: string;
                                /**
                                 * @description Product
                                 * @example blue-teapot
                                 */
                                readonly productId: string;
                                /**
                                 * @description Stock keeping unit: names one variant of a product; case counts
                                 * @example TEAPOT-BLUE
                                 */
                                readonly sku: string;
                                /**
                                 * @description What it was called when it was ordered
                                 * @example Blue teapot
                                 */
                                readonly title: string;
                                /**
                                 * @description Number of pieces
                                 * @example 2
                                 */
                                readonly quantity: number;
                                /**
                                 * @description Price of one piece, tax included
                                 * @example 2499
                                 */
                                readonly unitPrice: number;
                                /**
                                 * @description Price of all pieces, tax included
                                 * @example 4998
                                 */
                                readonly amount: number;
                                /**
                                 * @description Tax rate in hundredths of a percent
                                 * @example 1900
                                 */
                                readonly taxRate: number;
                                /**
                                 * @description Tax included in the amount
                                 * @example 798
                                 */
                                readonly tax: number;
                                /**
                                 * @description Pieces that have left
                                 * @example 2
                                 */
                                readonly shipped: number;
                                /**
                                 * @description Pieces that have arrived
                                 * @example 0
                                 */
                                readonly delivered: number;
                                /**
                                 * @description Pieces that are paid back or about to be
                                 * @example 0
                                 */
                                readonly refunded: number;
                            }[];
                            /**
                             * @description Pieces of all lines
                             * @example 2
                             */
                            readonly units: number;
                            /** @description How the goods are sent, and what that costs */
                            readonly shipping: {
                                /**
                                 * @description Code of the shipping method
                                 * @example standard
                                 */
                                readonly method: string;
                                /**
                                 * @description What the method was called
                                 * @example Standard
                                 */
                                readonly title: string;
                                /**
                                 * @description Price, tax included
                                 * @example 490
                                 */
                                readonly amount: number;
                                /**
                                 * @description Tax rate in hundredths of a percent
                                 * @example 1900
                                 */
                                readonly taxRate: number;
                                /**
                                 * @description Tax included in the amount
                                 * @example 78
                                 */
                                readonly tax: number;
                            };
                            /** @description Sums over the whole order */
                            readonly totals: {
                                /**
                                 * @description Sum of the lines, tax included
                                 * @example 4998
                                 */
                                readonly items: number;
                                /**
                                 * @description Price of shipping, tax included
                                 * @example 490
                                 */
                                readonly shipping: number;
                                /**
                                 * @description Tax included in the total
                                 * @example 876
                                 */
                                readonly tax: number;
                                /**
                                 * @description What is to be paid
                                 * @example 5488
                                 */
                                readonly total: number;
                            };
                            /**
                             * @description The order's own state
                             * @example confirmed
                             * @enum {string}
                             */
                            readonly status: "pending" | "confirmed" | "completed" | "cancelled" | "rejected";
                            /**
                             * @description Why it was cancelled or rejected
                             * @example null
                             */
                            readonly endReason: ("cancelled-by-customer" | "cancelled-by-staff" | "expired" | "out-of-stock") | null;
                            /**
                             * @description What was said about that
                             * @example null
                             */
                            readonly endNote: string | null;
                            /**
                             * @description How far it is paid
                             * @example captured
                             * @enum {string}
                             */
                            readonly paymentStatus: "not-paid" | "payment-started" | "authorised" | "captured" | "partly-refunded" | "refunded";
                            /**
                             * @description What has been taken; null before
                             * @example 5488
                             */
                            readonly paid: number | null;
                            /**
                             * @description What has been given back of it
                             * @example 0
                             */
                            readonly refunded: number;
                            /**
                             * @description The latest payment
                             * @example null
                             */
                            readonly payment: {
                                /**
                                 * @description Payment
                                 * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly paymentId: string;
                                /**
                                 * @description Payment gateway
                                 * @example sandbox
                                 */
                                readonly gateway: string;
                                /**
                                 * @description Whether it is under way, has failed, was let go as the order ended, or has taken the money
                                 * @example started
                                 * @enum {string}
                                 */
                                readonly status: "started" | "failed" | "cancelled" | "captured";
                                /**
                                 * @description What the shopper has to do, as long as the gateway waits for it
                                 * @example {
                                 *       "kind": "redirect",
                                 *       "url": "https://gateway.example/pay_8f2k"
                                 *     }
                                 */
                                readonly nextAction: ({
                                    /**
                                     * @description Nothing to do but to wait
                                     * @constant
                                     */
                                    readonly kind: "none";
                                } | {
                                    /**
                                     * @description Send the shopper to another page
                                     * @constant
                                     */
                                    readonly kind: "redirect";
                                    /**
                                     * Format: uri
                                     * @description That page
                                     * @example https://gateway.example/pay_8f2k
                                     */
                                    readonly url: string;
                                }) | null;
                                /**
                                 * @description Why it failed
                                 * @example null
                                 */
                                readonly failure: {
                                    /**
                                     * @description Why, for programs
                                     * @example card-declined
                                     */
                                    readonly code: string;
                                    /**
                                     * @description Why, for people
                                     * @example Ordered the wrong size
                                     */
                                    readonly reason: string;
                                } | null;
                            } | null;
                            /**
                             * @description How far it is shipped and delivered
                             * @example unfulfilled
                             * @enum {string}
                             */
                            readonly fulfilmentStatus: "unfulfilled" | "partly-shipped" | "shipped" | "partly-delivered" | "delivered";
                            /** @description Shipments, the first one first */
                            readonly shipments: readonly {
                                /**
                                 * @description Shipment
                                 * @example 0198f0c2-4444-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly shipmentId: string;
                                /** @description Pieces by line */
                                readonly lines: readonly {
                                    /**
                                     * @description Names the line within the order: its SKU, or a number
                                     * @example TEAPOT-BLUE
                                     */
                                    readonly lineId: string;
                                    /**
                                     * @description Number of pieces
                                     * @example 2
                                     */
                                    readonly quantity: number;
                                }[];
                                /**
                                 * @description Who carries it
                                 * @example DHL
                                 */
                                readonly carrier: string | null;
                                /**
                                 * @description The carrier's tracking code
                                 * @example JD0146
                                 */
                                readonly trackingCode: string | null;
                                /**
                                 * Format: date-time
                                 * @description When it left
                                 * @example 2026-01-16T08:00:00.000Z
                                 */
                                readonly shippedAt: string;
                                /**
                                 * @description When it arrived
                                 * @example null
                                 */
                                readonly deliveredAt: string | null;
                            }[];
                            /** @description Refunds, the first one first; one that failed stays, and is asked for anew under another id */
                            readonly refunds: readonly {
                                /**
                                 * @description Refund
                                 * @example 0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly refundId: string;
                                /**
                                 * @description Whether the money is on its way, is back or could not be given back
                                 * @example refunded
                                 * @enum {string}
                                 */
                                readonly status: "requested" | "refunded" | "failed";
                                /** @description Pieces by line */
                                readonly lines: readonly {
                                    /**
                                     * @description Names the line within the order: its SKU, or a number
                                     * @example TEAPOT-BLUE
                                     */
                                    readonly lineId: string;
                                    /**
                                     * @description Number of pieces
                                     * @example 2
                                     */
                                    readonly quantity: number;
                                }[];
                                /**
                                 * @description Given back for shipping, tax included
                                 * @example 0
                                 */
                                readonly shipping: number;
                                /**
                                 * @description All that is given back
                                 * @example 2499
                                 */
                                readonly total: number;
                                /**
                                 * @description Why, for people
                                 * @example Ordered the wrong size
                                 */
                                readonly reason: string;
                            }[];
                            /**
                             * @description How far its refunds are; `failed` needs a person until another is under way or all is paid back
                             * @example none
                             * @enum {string}
                             */
                            readonly refundStatus: "none" | "requested" | "failed" | "refunded";
                            /**
                             * Format: date-time
                             * @description When it was placed
                             * @example 2026-01-15T09:30:00.000Z
                             */
                            readonly placedAt: string;
                            /**
                             * Format: date-time
                             * @description Ends by itself unless it is confirmed before
                             * @example 2026-01-15T10:00:00.000Z
                             */
                            readonly expiresAt: string;
                            /**
                             * @description Revision of the order, for `If-Match`
                             * @example 7
                             */
                            readonly revision: number;
                            /** @description What happened to it, the first first; at most 200 entries */
                            readonly timeline: readonly {
                                /**
                                 * @description Identifier
                                 * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly orderId: string;
                                /**
                                 * @description Place in the log, by which entries are in order
                                 * @example 4711
                                 */
                                readonly position: number;
                                /**
                                 * Format: date-time
                                 * @description When it happened
                                 * @example 2026-01-15T09:30:00.000Z
                                 */
                                readonly at: string;
                                /**
                                 * @description Type of the event
                                 * @example OrderShipped
                                 */
                                readonly type: string;
                                /**
                                 * @description What happened
                                 * @example Goods were shipped
                                 */
                                readonly title: string;
                                /**
                                 * @description What else is to be said of it
                                 * @example {
                                 *       "pieces": 2,
                                 *       "carrier": "DHL"
                                 *     }
                                 */
                                readonly details: {
                                    readonly [key: string]: string | number | boolean;
                                };
                                /**
                                 * @description Who did it; only staff is told
                                 * @example null
                                 */
                                readonly by: {
                                    /**
                                     * @description What kind of actor
                                     * @example staff
                                     * @enum {string}
                                     */
                                    readonly kind: "staff" | "customer" | "guest" | "process" | "system";
                                    /**
                                     * @description Id of the customer, guest or API key, or name of the process
                                     * @example key-1
                                     */
                                    readonly id: string;
                                } | null;
                            }[];
                            /** @description Its payments, the newest first, without what they were paid with; at most 50 */
                            readonly payments: readonly {
                                /**
                                 * @description Payment
                                 * @example 0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly id: string;
                                /**
                                 * @description What is paid
                                 * @example 0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly orderId: string;
                                /**
                                 * @description Who buys
                                 * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                                 */
                                readonly customerId: string;
                                /**
                                 * @description ISO 3166-1 alpha-2 country code; ZZ where it is unknown
                                 * @example DE
                                 */
                                readonly country: string;
                                /**
                                 * @description Payment gateway
                                 * @example sandbox
                                 */
                                readonly gateway: string;
                                /**
                                 * @description The gateway's own name for it; null until the gateway has answered
                                 * @example pay_8f2k
                                 */
                                readonly reference: string | null;
                                /**
                                 * @description Whole minor units of the currency, such as cents
                                 * @example 1999
                                 */
                                readonly amount: number;
                                /**
                                 * @description ISO 4217 currency code
                                 * @example EUR
                                 */
                                readonly currency: string;
                                /**
                                 * @description How far it is
                                 * @example captured
                                 * @enum {string}
                                 */
                                readonly status: "requested" | "pending" | "authorised" | "captured" | "failed" | "cancelled";
                                /**
                                 * @description Whether the gateway was asked to take the money, and could not
                                 * @example requested
                                 */
                                readonly capture: ("requested" | "failed") | null;
                                /**
                                 * @description Whether what is held is to be let go
                                 * @example false
                                 */
                                readonly unwanted: boolean;
                                /**
                                 * @description Why it failed, if it did
                                 * @example null
                                 */
                                readonly failure: {
                                    /**
                                     * @description Why, for programs
                                     * @example card-declined
                                     */
                                    readonly code: string;
                                    /**
                                     * @description Why, for people
                                     * @example Ordered the wrong size
                                     */
                                    readonly reason: string;
                                } | null;
                                /** @description Refunds, the first one first */
                                readonly refunds: readonly {
                                    /**
                                     * @description Refund
                                     * @example 0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88
                                     */
                                    readonly refundId: string;
                                    /**
                                     * @description Whole minor units of the currency, such as cents
                                     * @example 1999
                                     */
                                    readonly amount: number;
                                    /**
                                     * @description Whether the money is on its way, is back or could not be given back
                                     * @example refunded
                                     * @enum {string}
                                     */
                                    readonly status: "requested" | "refunded" | "failed";
                                    /**
                                     * @description Why it failed, if it did
                                     * @example null
                                     */
                                    readonly failure: {
                                        /**
                                         * @description Why, for programs
                                         * @example card-declined
                                         */
                                        readonly code: string;
                                        /**
                                         * @description Why, for people
                                         * @example Ordered the wrong size
                                         */
                                        readonly reason: string;
                                    } | null;
                                }[];
                                /**
                                 * @description What has been given back
                                 * @example 0
                                 */
                                readonly refunded: number;
                                /**
                                 * @description How far its refunds are; `failed` needs a person until another is under way or all is paid back
                                 * @example none
                                 * @enum {string}
                                 */
                                readonly refundStatus: "none" | "requested" | "failed" | "refunded";
                                /**
                                 * Format: date-time
                                 * @description When it was asked for
                                 * @example 2026-01-15T09:31:00.000Z
                                 */
                                readonly requestedAt: string;
                                /**
                                 * @description Revision of the payment
                                 * @example 4
                                 */
                                readonly revision: number;
                            }[];
                        }[];
                        /**
                         * @description Send it as `cursor` for further orders; null where there are none
                         * @example WyJvcmRlcnMi
                         */
                        readonly next: string | null;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly issueGuestToken: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description To be sent as `Authorization: Bearer`
                         * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl
                         */
                        readonly token: string;
                        /**
                         * @description Who it stands for
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * Format: date-time
                         * @description Until when it is good
                         * @example 2026-02-14T09:30:00.000Z
                         */
                        readonly expiresAt: string;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly issueCustomerToken: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Identifier */
                readonly customerId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 201: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description To be sent as `Authorization: Bearer`
                         * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl
                         */
                        readonly token: string;
                        /**
                         * @description Who it stands for
                         * @example 0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88
                         */
                        readonly customerId: string;
                        /**
                         * Format: date-time
                         * @description Until when it is good
                         * @example 2026-02-14T09:30:00.000Z
                         */
                        readonly expiresAt: string;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly listProjections: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /** @description All read models */
                        readonly items: readonly {
                            /**
                             * @description Name of the read model
                             * @example orders
                             */
                            readonly name: string;
                            /**
                             * @description Version of its definition
                             * @example 1
                             */
                            readonly version: number;
                            /**
                             * @description `building`: there is nothing to query yet; `stopped`: it failed, and answers as of then
                             * @example live
                             * @enum {string}
                             */
                            readonly status: "live" | "building" | "stopped";
                            /**
                             * @description Place in the log that it has reached
                             * @example 90000
                             */
                            readonly position: number;
                            /**
                             * @description How far it is behind the log: in events, on EventStoreDB in bytes of its log
                             * @example 0
                             */
                            readonly lag: number;
                            /**
                             * @description For how long it has been behind the log, in milliseconds
                             * @example 0
                             */
                            readonly lagMs?: number;
                            /**
                             * @description Events that were folded into it in a second, over the last half minute
                             * @example 41.5
                             */
                            readonly eventsPerSecond?: number;
                            /**
                             * @description Why it is stopped
                             * @example Projection orders fails on …
                             */
                            readonly error?: string;
                            /** @description The event that stopped it */
                            readonly poison?: {
                                /**
                                 * @description Place of the event in the log
                                 * @example 4711
                                 */
                                readonly position: number;
                                /**
                                 * @description Id of the event
                                 * @example 0b6cd2b5-3c10-5b0e-9d0b-6d61c1a2f1de
                                 */
                                readonly eventId: string;
                                /**
                                 * @description Type of the event
                                 * @example OrderPlaced
                                 */
                                readonly type: string;
                            };
                            /** @description How far a rebuild is */
                            readonly rebuild?: {
                                /**
                                 * @description Place in the log that it has reached
                                 * @example 41200
                                 */
                                readonly position: number;
                                /**
                                 * @description Place of the log’s last event
                                 * @example 90000
                                 */
                                readonly head: number;
                                /**
                                 * @description Events that were folded
                                 * @example 12000
                                 */
                                readonly events: number;
                                /**
                                 * @description Milliseconds since it began
                                 * @example 350
                                 */
                                readonly elapsedMs: number;
                            };
                            /**
                             * @description Why the last rebuild failed
                             * @example disk full
                             */
                            readonly rebuildFailure?: string;
                        }[];
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly rebuildProjection: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Name of the read model */
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly skipPoisonEvent: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path: {
                /** @description Name of the read model */
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly showBackup: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 200: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        /**
                         * @description `none`: since the server started nobody has asked for one
                         * @example running
                         * @enum {string}
                         */
                        readonly state: "none" | "running" | "done" | "stopped" | "failed";
                        /**
                         * @description Where it is
                         * @example /var/backups/daybook/2026-01-31
                         */
                        readonly directory?: string;
                        /** @description How far it is */
                        readonly progress?: {
                            /**
                             * @description What is done now
                             * @example copy
                             * @enum {string}
                             */
                            readonly step: "copy" | "verify";
                            /**
                             * @description Bytes copied, or positions verified
                             * @example 52428800
                             */
                            readonly done: number;
                            /**
                             * @description Of so many
                             * @example 104857600
                             */
                            readonly total: number;
                        };
                        /** @description What it has */
                        readonly taken?: {
                            /**
                             * @description Place of the last event in it
                             * @example 90000
                             */
                            readonly position: number;
                            /**
                             * @description How many events it has
                             * @example 90000
                             */
                            readonly events: number;
                            /**
                             * @description Size of its files
                             * @example 104857600
                             */
                            readonly bytes: number;
                            /** @description Persons whose data it has without a key, though they were not forgotten; left out where that is not known: an extension can't be loaded, or the vault is an older version's */
                            readonly lostKeys?: {
                                /**
                                 * @description How many persons
                                 * @example 0
                                 */
                                readonly persons: number;
                                /**
                                 * @description Whether there are more than were counted
                                 * @example false
                                 */
                                readonly isMore: boolean;
                                /**
                                 * @description The first of them
                                 * @example []
                                 */
                                readonly first: readonly string[];
                            };
                        };
                        /**
                         * @description Why it failed
                         * @example database or disk is full
                         */
                        readonly error?: string;
                    };
                };
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly takeBackup: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * @description Directory on the disk of the server
                     * @example /var/backups/daybook/2026-01-31
                     */
                    readonly directory: string;
                };
            };
        };
        readonly responses: {
            /** @description Done. */
            readonly 202: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
    readonly stopBackup: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Names the request, and all that follows from it, in logs and events. Random if it is left out. */
                readonly "Daybook-Correlation-Id"?: components["parameters"]["CorrelationId"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done. */
            readonly 204: {
                headers: {
                    readonly "Daybook-Correlation-Id": components["headers"]["CorrelationId"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Problem400"];
            readonly 401: components["responses"]["Problem401"];
            readonly 403: components["responses"]["Problem403"];
            readonly 404: components["responses"]["Problem404"];
            readonly 409: components["responses"]["Problem409"];
            readonly 413: components["responses"]["Problem413"];
            readonly 415: components["responses"]["Problem415"];
            readonly 422: components["responses"]["Problem422"];
            readonly 429: components["responses"]["Problem429"];
            readonly 503: components["responses"]["Problem503"];
        };
    };
}
