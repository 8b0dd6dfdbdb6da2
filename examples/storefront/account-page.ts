import { element, fieldOf } from './element.ts'
import { countPieces } from './header.ts'
import { mailbox } from './mailbox.ts'
import { attempt } from './notice.ts'
import { go, type Page } from './page.ts'
import { client } from './shop.ts'
import { type TextName, text } from './texts.ts'

type FieldNames = 'email' | 'password' | 'newPassword' | 'name'

const fields: Readonly<Record<FieldNames, Readonly<Record<string, unknown>>>> = {
  email: { type: 'email', autocomplete: 'username', maxlength: 254 },
  password: { type: 'password', autocomplete: 'current-password', maxlength: 200 },
  newPassword: { type: 'password', autocomplete: 'new-password', minlength: 8, maxlength: 200 },
  name: { type: 'text', autocomplete: 'name', maxlength: 200 },
}

/** A form that does one thing. @param send gets what was filled in; what it gives is shown below */
function form(
  title: TextName,
  names: readonly FieldNames[],
  send: (value: (name: FieldNames) => string) => Promise<HTMLElement | undefined>,
): HTMLFormElement {
  const button = element('button', { type: 'submit', class: 'main' }, text(title))
  const below = element('div', {})
  const made = element(
    'form',
    {
      class: 'payment',
      on: {
        submit(event) {
          event.preventDefault()
          void attempt(button, below, text('loading'), async () => {
            const shown = await send((name) => fieldOf(made, name))
            if (shown) below.replaceChildren(shown)
          })
        },
      },
    },
    element('h2', {}, text(title)),
    ...names.map((name) =>
      element('label', { class: 'field' }, text(name), element('input', { name, required: true, ...fields[name] })),
    ),
    button,
    below,
  )
  return made
}

/** Logging in, opening an account, asking for a new password. */
function forms(signal: AbortSignal): HTMLElement[] {
  return [
    form('logIn', ['email', 'password'], async (value) => {
      await client.logIn({ email: value('email'), password: value('password') })
      await countPieces()
      go('#/account')
      return undefined
    }),
    form('register', ['name', 'email'], async (value) => {
      await client.post('/v1/accounts/register', { body: { name: value('name'), email: value('email') } })
      return mailbox(value('email'), signal)
    }),
    form('forgotPassword', ['email'], async (value) => {
      await client.post('/v1/accounts/forgot-password', { body: { email: value('email') } })
      return mailbox(value('email'), signal)
    }),
  ]
}

/** Who has logged in; or the ways to do so. */
export const accountPage: Page = async ({ root, signal, titled }) => {
  const heading = titled(text('account'))
  if (client.session()?.kind !== 'customer') {
    root.append(heading, element('div', { class: 'order' }, ...forms(signal)))
    return
  }
  const { name, email } = await client.get('/v1/accounts/me', { signal })
  const below = element('div', {})
  const leave = element('button', { type: 'button' }, text('logOut'))
  leave.addEventListener('click', () => {
    void attempt(leave, below, text('loading'), async () => {
      await client.logOut()
      await countPieces()
      go('#/account')
    })
  })
  root.append(
    heading,
    element('p', { class: 'state' }, text('welcome', { name: name ?? email ?? '' })),
    element('p', {}, element('a', { href: '#/orders' }, text('orders'))),
    leave,
    below,
  )
}

/** Where the links of mails lead: a password is chosen, which confirms the address or replaces the password. */
export const passwordPage: Page = async ({ root, parts, titled }) => {
  const [purpose, token = ''] = parts
  root.append(
    titled(text(purpose === 'confirm' ? 'confirmTitle' : 'resetTitle')),
    form('savePassword', ['newPassword'], async (value) => {
      const by = { token, password: value('newPassword') }
      await (purpose === 'confirm' ? client.confirm(by) : client.resetPassword(by))
      await countPieces()
      // The token is used: it need not stay in the history.
      location.replace('#/account')
      return undefined
    }),
  )
}
