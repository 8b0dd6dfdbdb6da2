import { describe, test } from 'vitest'
import { stockItem, stockItemEvents } from '../../src/domain/stock-item.ts'
import { specification } from '../../src/testing/specification.ts'

const sku = 'TEAPOT-BLUE'
const at = '2026-01-15T09:30:00.000Z'
const { given, event } = specification(stockItem, stockItemEvents, { id: sku, at })
const reason = 'Counted'

const received = (quantity: number, reference = 'DN-1') => event('StockReceived', { sku, quantity, reference })
const adjusted = (change: number, reference = 'COUNT-1') => event('StockAdjusted', { sku, change, reason, reference })
const reserved = (reservationId: string, quantity: number, requestedAt = at) =>
  event('StockReserved', { sku, reservationId, quantity, requestedAt })
const refused = (reservationId: string, quantity: number, available: number) =>
  event('ReservationRefused', { sku, reservationId, quantity, available })
const released = (reservationId: string, quantity: number) =>
  event('ReservationReleased', { sku, reservationId, quantity })
const committed = (reservationId: string, quantity: number, reference = 'S-1') =>
  event('ReservationCommitted', { sku, reservationId, quantity, reference })

const many = <T>(count: number, make: (number: number) => T | T[]) =>
  Array.from({ length: count }, (_, number) => make(number)).flat() as T[]
const time = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()

describe('receiving', () => {
  test('goods come in under a reference', () => {
    given().when('ReceiveStock', { quantity: 10, reference: 'DN-1' }).then(received(10))
  })

  test('a reference stands for one movement', () => {
    given(received(10)).when('ReceiveStock', { quantity: 10, reference: 'DN-1' }).thenNothing()
    given(received(10))
      .when('ReceiveStock', { quantity: 11, reference: 'DN-1' })
      .thenRejected('reference-used', { reference: 'DN-1', change: 10 })
    given(received(10), adjusted(-1))
      .when('AdjustStock', { change: -2, reason, reference: 'COUNT-1' })
      .thenRejected('reference-used')
    given(received(10)).when('AdjustStock', { change: -2, reason, reference: 'DN-1' }).thenRejected('reference-used')
  })
})

describe('adjusting', () => {
  test('a count corrects what is on hand', () => {
    given(received(10)).when('AdjustStock', { change: -3, reason, reference: 'COUNT-1' }).then(adjusted(-3))
    given().when('AdjustStock', { change: 3, reason, reference: 'COUNT-1' }).then(adjusted(3))
  })

  test('a count that finds no difference changes nothing', () => {
    given(received(10)).when('AdjustStock', { change: 0, reason, reference: 'COUNT-1' }).thenNothing()
  })

  test('it can take all that is not reserved, and no more', () => {
    const before = [received(10), reserved('order-1', 4)]
    given(...before)
      .when('AdjustStock', { change: -6, reason, reference: 'COUNT-1' })
      .then(adjusted(-6))
    given(...before)
      .when('AdjustStock', { change: -7, reason, reference: 'COUNT-1' })
      .thenRejected('stock-reserved', { onHand: 10, reserved: 4, available: 6 })
  })

  test('it cannot take more than there is', () => {
    given(received(10))
      .when('AdjustStock', { change: -11, reason, reference: 'COUNT-1' })
      .thenRejected('stock-too-small', { onHand: 10 })
  })
})

describe('reserving', () => {
  test('what is available is reserved, to the last piece', () => {
    given(received(100)).when('ReserveStock', { reservationId: 'order-1', quantity: 3 }).then(reserved('order-1', 3))
    given(received(5), reserved('order-1', 3))
      .when('ReserveStock', { reservationId: 'order-2', quantity: 2 })
      .then(reserved('order-2', 2))
  })

  test('what is not available is refused, whole: a process by an event, a person at once', () => {
    const actor = { kind: 'process', id: 'fulfil-order' } as const
    given(received(2))
      .when('ReserveStock', { reservationId: 'order-1', quantity: 3 }, { actor })
      .then(refused('order-1', 3, 2))
    given()
      .when('ReserveStock', { reservationId: 'order-1', quantity: 1 }, { actor })
      .then(refused('order-1', 1, 0))
    given(received(2))
      .when('ReserveStock', { reservationId: 'exhibition', quantity: 3 })
      .thenRejected('not-available', { available: 2 })
  })

  test('a reservation that was refused stays refused, also when goods have come in since', () => {
    given(received(2), refused('order-1', 3, 2), received(10, 'DN-2'))
      .when('ReserveStock', { reservationId: 'order-1', quantity: 3 })
      .thenNothing()
  })

  test('it remembers when it was first asked for', () => {
    given(received(9))
      .when('ReserveStock', { reservationId: 'order-1', quantity: 3, requestedAt: time(1) })
      .then(reserved('order-1', 3, time(1)))
  })

  test('a time in the future is refused, but for what clocks differ', () => {
    const tomorrow = '2026-01-16T09:30:00.000Z'
    given(received(9))
      .when('ReserveStock', { reservationId: 'order-1', quantity: 3, requestedAt: tomorrow })
      .thenRejected('requested-in-future')
    const soon = '2026-01-15T09:30:30.000Z'
    given(received(9))
      .when('ReserveStock', { reservationId: 'order-1', quantity: 3, requestedAt: soon })
      .then(reserved('order-1', 3, soon))
  })
})

describe('releasing', () => {
  test('what is still reserved becomes available, once', () => {
    given(received(9), reserved('order-1', 5), committed('order-1', 2))
      .when('ReleaseReservation', { reservationId: 'order-1' })
      .then(released('order-1', 3))
      .when('ReserveStock', { reservationId: 'order-2', quantity: 7 })
      .then(reserved('order-2', 7))
  })

  test('an unknown or ended reservation has nothing to release', () => {
    given(received(9)).when('ReleaseReservation', { reservationId: 'order-1' }).thenNothing()
    given(received(9), reserved('order-1', 3), committed('order-1', 3))
      .when('ReleaseReservation', { reservationId: 'order-1' })
      .thenNothing()
  })

  test('a released reservation is not made again', () => {
    given(received(9), reserved('order-1', 3), released('order-1', 3))
      .when('ReserveStock', { reservationId: 'order-1', quantity: 3 })
      .thenNothing()
  })
})

describe('committing', () => {
  const commit = { reservationId: 'order-1', quantity: 2, reference: 'S-1' }

  test('pieces leave in parts, each known by its reference', () => {
    given(received(9), reserved('order-1', 5))
      .when('CommitReservation', commit)
      .then(committed('order-1', 2, 'S-1'))
      .when('CommitReservation', { ...commit, quantity: 3, reference: 'S-2' })
      .then(committed('order-1', 3, 'S-2'))
      .when('CommitReservation', commit)
      .thenNothing()
      .when('AdjustStock', { change: -4, reason, reference: 'COUNT-1' })
      .then(adjusted(-4))
  })

  test('no more can leave than is still reserved', () => {
    given(received(9), reserved('order-1', 5), committed('order-1', 4, 'S-0'))
      .when('CommitReservation', commit)
      .thenRejected('reservation-too-small', { reservationId: 'order-1', reserved: 1 })
  })

  test('only what was reserved can leave', () => {
    given(received(9))
      .when('CommitReservation', commit)
      .thenRejected('reservation-unknown', { reservationId: 'order-1' })
  })

  test('nothing leaves for a reservation that has ended', () => {
    given(received(9), reserved('order-1', 5), released('order-1', 5)).when('CommitReservation', commit).thenNothing()
  })
})

describe('what is forgotten for good is refused, never repeated', () => {
  test('a reference: known with its content while it is new, then only as used', () => {
    const receipts = many(1_001, (number) => received(1, `DN-${number}`))
    given(...receipts)
      .when('ReceiveStock', { quantity: 1, reference: 'DN-1' })
      .thenNothing()
    given(...receipts)
      .when('ReceiveStock', { quantity: 1, reference: 'DN-0' })
      .thenRejected('too-old', { reference: 'DN-0' })
    given(...receipts)
      .when('ReceiveStock', { quantity: 1, reference: 'DN-1001' })
      .then(received(1, 'DN-1001'))
  })

  const ended = [
    received(10_000),
    ...many(2_001, (number) => [
      reserved(`order-${number}`, 1, time(number)),
      number % 2 ? released(`order-${number}`, 1) : committed(`order-${number}`, 1),
    ]),
  ]

  test('a reservation that has ended: by the time it was asked for', () => {
    given(...ended)
      .when('ReserveStock', { reservationId: 'order-1', quantity: 1, requestedAt: time(1) })
      .thenNothing()
    given(...ended)
      .when('ReserveStock', { reservationId: 'order-0', quantity: 1, requestedAt: time(0) })
      .thenRejected('too-old', { reservationId: 'order-0', requestedAt: time(0) })
    given(...ended)
      .when('ReserveStock', { reservationId: 'late', quantity: 1, requestedAt: time(1) })
      .then(reserved('late', 1, time(1)))
  })

  test('an open reservation is never forgotten', () => {
    given(received(9), reserved('order-open', 2, time(0)), ...ended)
      .when('ReserveStock', { reservationId: 'order-open', quantity: 2, requestedAt: time(0) })
      .thenNothing()
      .when('CommitReservation', { reservationId: 'order-open', quantity: 2, reference: 'S-1' })
      .then(committed('order-open', 2))
  })

  test('a forgotten refusal is decided anew, for it moved nothing', () => {
    given(...many(1_001, (number) => refused(`order-${number}`, 1, 0)), received(5))
      .when('ReserveStock', { reservationId: 'order-1', quantity: 1 })
      .thenNothing()
      .when('ReserveStock', { reservationId: 'order-0', quantity: 1 })
      .then(reserved('order-0', 1))
  })
})
