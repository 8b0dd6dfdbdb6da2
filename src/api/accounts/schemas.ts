import { z } from 'zod'
import { shortestPassword } from '../../accounts/passwords.ts'
import { Id, Timestamp } from '../../domain/values.ts'

/** What accounts are asked and answer with. */

const maxPassword = 200

/** NIST SP 800-63B-4: of any kind; that it is not easy to guess is looked at apart. */
export const NewPassword = z
  .string()
  .min(shortestPassword)
  .max(maxPassword)
  .meta({
    description: `New password: ${shortestPassword} to ${maxPassword} characters of any kind, and none that is easy to guess: not one of the most common, one character repeated, or the person's name or e-mail address`,
    example: 'correct horse battery staple',
  })

export const SentPassword = z
  .string()
  .min(1)
  .max(maxPassword)
  .meta({ description: 'Password', example: 'correct horse battery staple' })

export const MailedToken = z
  .string()
  .min(1)
  .max(4_000)
  .meta({ description: 'Token of the mail', example: 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0' })

export const GuestToken = z.string().min(1).max(4_000).meta({
  description: 'Token of the guest whose cart is to be taken along',
  example: 'eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl',
})

export const RefreshTokenText = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: 'Refresh token', example: 'dbr_AZjw8QAAejSbDj8sHVp7iA' })

const Skus = z.array(z.string())

export const TakenCart = z
  .object({
    id: Id.meta({ description: "The customer's cart now", example: '0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88' }),
    rule: z.enum(['handed-over', 'larger-quantity']).meta({
      description:
        "`handed-over`: the guest's cart is the customer's now. `larger-quantity`: it went into the customer's cart, where of each SKU the larger number of pieces stays",
      example: 'larger-quantity',
    }),
    added: Skus.meta({ description: 'SKUs that came into it', example: ['TEAPOT-BLUE'] }),
    raised: Skus.meta({ description: 'SKUs of which it has more than before', example: [] }),
    left: Skus.meta({ description: 'SKUs that found no place', example: [] }),
    position: z.string().meta({
      description: 'To be sent as `Daybook-Position` with the query for the cart',
      example: 'YWJjLjQy',
    }),
  })
  .meta({ description: "What became of the guest's cart" })

const Tokens = {
  customerId: Id.meta({ description: 'Who it is', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
  sessionId: z.uuid().meta({ description: 'Session', example: '0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88' }),
  token: z.string().meta({
    description: 'Access token, to be sent as `Authorization: Bearer`',
    example: 'eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiY3VzdG9tZXIifQ.c2lnbmF0dXJl',
  }),
  expiresAt: Timestamp.meta({
    description: 'Until when the access token is good',
    example: '2026-02-14T09:45:00.000Z',
  }),
  refreshToken: RefreshTokenText.meta({
    description: 'Gives the next access token, once; the answer has the next refresh token',
    example: 'dbr_AZjw8QAAejSbDj8sHVp7iA',
  }),
  refreshExpiresAt: Timestamp.meta({
    description: 'When the session ends unless it is used before',
    example: '2026-03-16T09:30:00.000Z',
  }),
}

export const SessionTokens = z.object(Tokens)

export const LoggedIn = z.object({
  ...Tokens,
  cart: TakenCart.nullable().meta({
    description: "What became of the guest's cart; null where there was none to take, or it could not be taken now",
  }),
})
