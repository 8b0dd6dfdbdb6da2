import { ProblemError, UnreachableError } from 'daybook/client'
import { announce, byId, element } from './element.ts'
import { CardError } from './shop.ts'
import { text } from './texts.ts'

function faultsOf(error: unknown): readonly string[] {
  if (!(error instanceof ProblemError)) return []
  return error.errors.map(({ detail, pointer, parameter }) => {
    const place = pointer?.split('/').at(-1) ?? parameter
    return place === undefined ? detail : `${place}: ${detail}`
  })
}

function saidOf(error: unknown): string {
  if (error instanceof ProblemError && error.code === 'price-changed') return text('priceChanged')
  const isKnown = error instanceof ProblemError || error instanceof UnreachableError || error instanceof CardError
  return isKnown ? error.message : String(error)
}

/**
 * Says what went wrong and what to do.
 * @param again what another try does, where one makes sense
 */
export function notice(error: unknown, again?: () => void): HTMLElement {
  const faults = faultsOf(error)
  const id = error instanceof ProblemError && error.status >= 500 ? error.correlationId : undefined
  return element(
    'div',
    { class: 'notice', role: 'alert' },
    element('strong', {}, text('somethingWrong')),
    element('p', {}, saidOf(error)),
    faults.length > 0 ? element('ul', {}, ...faults.map((fault) => element('li', {}, fault))) : undefined,
    id === undefined ? undefined : element('p', { class: 'quiet' }, text('nameInLogs', { id })),
    again && element('button', { type: 'button', on: { click: again } }, text('tryAgain')),
  )
}

/**
 * Runs what a form or button asks for, once at a time: meanwhile its button is busy, and what fails is said beside it.
 * @param place where a failure is shown
 * @param says what is announced meanwhile
 */
export async function attempt(
  button: HTMLButtonElement,
  place: HTMLElement,
  says: string,
  work: () => Promise<void>,
): Promise<void> {
  if (button.getAttribute('aria-disabled') === 'true') return
  const label = button.textContent
  // Not `disabled`: that would take the focus away.
  button.setAttribute('aria-disabled', 'true')
  button.textContent = says
  announce(says)
  place.replaceChildren()
  try {
    await work()
  } catch (error) {
    place.replaceChildren(notice(error))
  } finally {
    if (byId('status').textContent === says) announce('')
    button.removeAttribute('aria-disabled')
    button.textContent = label
  }
}
