import { z } from 'zod'
import { apiKey, apiKeyCommands } from '../domain/api-key.ts'
import { shippingMethod } from '../domain/shipping-method.ts'
import { taxRates } from '../domain/tax-rates.ts'
import { staff } from '../engine/access.ts'
import { command } from '../engine/command-definition.ts'
import { forbid } from '../engine/errors.ts'

/** A key is `dbk_`, its id, `_` and its secret. */
const KeyId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.~-]{0,99}$/)
  .meta({ description: 'Id of the key, without an underscore', example: 'k7q2m9' })

export const shippingMethodRequests = [
  command({
    name: 'offerShippingMethod',
    route: 'PUT /v1/shipping-methods/{method}',
    summary: 'Offer a shipping method, or change its terms',
    who: staff('catalogue'),
    target: shippingMethod,
    type: 'OfferShippingMethod',
  }),
  command({
    name: 'withdrawShippingMethod',
    route: 'DELETE /v1/shipping-methods/{method}',
    summary: 'Stop offering a shipping method',
    who: staff('catalogue'),
    target: shippingMethod,
    type: 'WithdrawShippingMethod',
  }),
]

export const taxRatesRequests = [
  command({
    name: 'setTaxRate',
    route: 'PUT /v1/tax-rates/{country}',
    summary: 'Set the rate of a tax category in a country',
    description: 'Prices include tax, so this changes what is paid to the tax office, not what customers pay.',
    who: staff('catalogue'),
    target: taxRates,
    type: 'SetTaxRate',
  }),
]

export const apiKeyRequests = [
  command({
    name: 'createApiKey',
    route: 'POST /v1/api-keys',
    summary: 'Register an API key',
    description:
      'The caller makes the secret and sends only its hash, so that no server ever sees it. `daybook keys create` does both. A key grants only scopes that it has.',
    who: staff('keys'),
    target: apiKey,
    type: 'CreateApiKey',
    body: apiKeyCommands.CreateApiKey.extend({
      id: KeyId.exactOptional(),
    }),
    creates: { location: '/v1/api-keys', id: (body) => body.id },
    toData: ({ title, scopes, secretHash }, { principal }) => {
      const lacking = scopes.filter((scope) => !principal.scopes.has(scope))
      if (lacking.length > 0) {
        const message = `A key grants only scopes that it has itself; this one lacks ${lacking.join(', ')}.`
        throw forbid('scope-not-granted', message, { scopes: lacking })
      }
      return { title, scopes, secretHash }
    },
  }),
  command({
    name: 'revokeApiKey',
    route: 'DELETE /v1/api-keys/{keyId}',
    summary: 'Revoke an API key',
    who: staff('keys'),
    target: apiKey,
    type: 'RevokeApiKey',
  }),
]
