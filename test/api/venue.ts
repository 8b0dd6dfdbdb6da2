import { z } from 'zod'
import { Id, Slug, Title } from '../../src/domain/values.ts'
import { anyone, owner, shopper, staff } from '../../src/engine/access.ts'
import { command, outcome } from '../../src/engine/command-definition.ts'
import { decider, fact, withFacts } from '../../src/engine/decider.ts'
import { notFound, reject } from '../../src/engine/errors.ts'
import { defineEvents, type EventOf } from '../../src/engine/events.ts'
import { personal } from '../../src/engine/personal-data.ts'
import { collection, projection } from '../../src/engine/projection.ts'
import { documentQuery, pageQuery, query } from '../../src/engine/query-definition.ts'

/** A small shop that sells seats: everything that a route can have, and no more. */

const Seats = z.int().min(1).max(10).meta({ description: 'Number of seats', example: 2 })
const Email = z.email().max(200).meta({ description: 'E-mail address', example: 'ada@example.com' })
const Label = z.string().max(20).meta({ description: 'Label', example: 'row-1' })

// Venues

const venueEvents = defineEvents('venue', {
  VenueOpened: z.object({ slug: Slug, title: Title }),
  VenueRenamed: z.object({ slug: Slug, title: Title }),
})
type VenueEvent = EventOf<typeof venueEvents>

interface Venue {
  readonly title?: string
}

const forbiddenTitle = 'Forbidden'

function assertAllowed(title: string): void {
  if (title === forbiddenTitle) throw reject('title-forbidden', 'A venue can’t be called so.', { title })
}

const venueCommands = {
  OpenVenue: z.strictObject({ slug: Slug, title: Title }),
  RenameVenue: z.strictObject({ slug: Slug, title: Title }),
}

export const venue = decider({
  events: venueEvents,
  commands: venueCommands,
  initial: {} as Venue,
  evolve: (_venue, event: VenueEvent): Venue => ({ title: event.data.title }),
  decide: {
    OpenVenue(data, { title }): VenueEvent[] {
      if (title !== undefined) throw reject('venue-exists', 'This venue is open already.')
      assertAllowed(data.title)
      return [{ type: 'VenueOpened', data }]
    },
    RenameVenue(data, { title }, { id }): VenueEvent[] {
      if (title === undefined) throw notFound('venue', id)
      assertAllowed(data.title)
      return [{ type: 'VenueRenamed', data }]
    },
  },
})

const claims = ({ slug }: { readonly slug: string }) => [{ noun: 'venue slug', value: slug }]

// Bookings

const bookingEvents = defineEvents('booking', {
  BookingMade: z.object({ customerId: Id, venueId: Id, seats: Seats, email: personal(Email) }),
  BookingConfirmed: z.object({}),
  LabelPut: z.object({ seat: Id, label: Label }),
  BookingCancelled: z.object({}),
})
type BookingEvent = EventOf<typeof bookingEvents>

interface Booking {
  readonly customerId?: string
  readonly status: 'none' | 'open' | 'confirmed' | 'cancelled'
}

function evolve(booking: Booking, event: BookingEvent): Booking {
  switch (event.type) {
    case 'BookingMade':
      return { customerId: event.data.customerId, status: 'open' }
    case 'BookingConfirmed':
      return { ...booking, status: 'confirmed' }
    case 'BookingCancelled':
      return { ...booking, status: 'cancelled' }
    case 'LabelPut':
      return booking
  }
}

const bookingCommands = {
  MakeBooking: z.strictObject({ customerId: Id, venueId: Id, seats: Seats, email: personal(Email) }),
  ConfirmBooking: z.strictObject({}),
  PutLabel: z.strictObject({ seat: Id, label: Label }),
  CancelBooking: z.strictObject({}),
}

export const booking = decider({
  events: bookingEvents,
  commands: bookingCommands,
  initial: { status: 'none' } as Booking,
  evolve,
  decide: {
    MakeBooking: withFacts(
      (data: z.output<typeof bookingCommands.MakeBooking>) => ({ venue: fact(venue, data.venueId) }),
      (data, { status }: Booking, { facts }): BookingEvent[] => {
        if (facts.venue.title === undefined) throw notFound('venue', data.venueId)
        return status === 'none' ? [{ type: 'BookingMade', data }] : []
      },
    ),
    ConfirmBooking(_data, { status }, { id }): BookingEvent[] {
      if (status === 'none') throw notFound('booking', id)
      if (status === 'cancelled') throw reject('booking-cancelled', 'The booking was cancelled. Make another.')
      return status === 'confirmed' ? [] : [{ type: 'BookingConfirmed', data: {} }]
    },
    PutLabel: (data): BookingEvent[] => [{ type: 'LabelPut', data }],
    CancelBooking: (_data, { status }): BookingEvent[] =>
      status === 'cancelled' ? [] : [{ type: 'BookingCancelled', data: {} }],
  },
})

const own = owner((state: Booking) => state.customerId, 'bookings')

export const commands = [
  command({
    name: 'openVenue',
    route: 'POST /v1/venues',
    summary: 'Open a venue',
    who: staff('venues'),
    target: venue,
    type: 'OpenVenue',
    body: venueCommands.OpenVenue.extend({ id: Id.exactOptional() }),
    creates: { location: '/v1/venues/{venueId}', id: (body) => body.id },
    claims,
    toData: ({ slug, title }) => ({ slug, title }),
  }),
  command({
    name: 'renameVenue',
    route: 'POST /v1/venues/{venueId}/rename',
    summary: 'Rename a venue',
    who: staff('venues'),
    target: venue,
    type: 'RenameVenue',
    claims,
  }),
  command({
    name: 'makeBooking',
    route: 'POST /v1/bookings',
    summary: 'Book seats',
    description: 'With `Prefer: wait=5` the answer comes when the booking is confirmed.',
    who: shopper(),
    target: booking,
    type: 'MakeBooking',
    body: bookingCommands.MakeBooking.omit({ customerId: true }),
    creates: { location: '/v1/bookings/{bookingId}' },
    keyRequired: true,
    personOf: ({ principal }) => principal.id,
    toData: (body, { principal }) => ({ ...body, customerId: principal.id }),
    outcome: outcome({ of: booking, idOf: (id) => id, isReached: ({ status }) => status === 'confirmed' }),
  }),
  command({
    name: 'confirmBooking',
    route: 'POST /v1/bookings/{bookingId}/confirm',
    summary: 'Confirm a booking',
    who: staff('bookings'),
    target: booking,
    type: 'ConfirmBooking',
    startsWork: true,
  }),
  command({
    name: 'putLabel',
    route: 'PUT /v1/bookings/{bookingId}/seats/{seat}',
    summary: 'Label a seat',
    who: own,
    target: booking,
    type: 'PutLabel',
  }),
  command({
    name: 'cancelBooking',
    route: 'DELETE /v1/bookings/{bookingId}',
    summary: 'Cancel a booking',
    who: own,
    target: booking,
    type: 'CancelBooking',
  }),
]

// Read models

const BookingDocument = z.object({
  bookingId: Id,
  revision: z.int().meta({ description: 'Revision', example: 0 }),
  customerId: Id,
  seats: Seats,
  email: personal(Email),
  status: z.enum(['open', 'confirmed', 'cancelled']).meta({ description: 'How it stands', example: 'open' }),
})
const VenueDocument = z.object({
  venueId: Id,
  revision: z.int().meta({ description: 'Revision', example: 0 }),
  slug: Slug,
  title: Title,
})
/** A document has more than its query shows. */
const VenueShown = VenueDocument.omit({ slug: true })

const bookingsCollection = collection('bookings', BookingDocument, {
  byStatus: ['status'],
  byCustomer: ['customerId'],
})
const venuesCollection = collection('venues', VenueDocument, { byTitle: ['title'] })

export const venues = projection({
  name: 'venues',
  version: 1,
  collections: [venuesCollection],
  from: [venueEvents],
  on: {
    VenueOpened: ({ stream, revision, data }) =>
      venuesCollection.change(stream.slice(6), () => ({ ...data, venueId: stream.slice(6), revision })),
    VenueRenamed: ({ stream, revision, data }) =>
      venuesCollection.update(stream.slice(6), (document) => ({ ...document, ...data, revision })),
  },
})

export const bookings = projection({
  name: 'bookings',
  version: 1,
  collections: [bookingsCollection],
  from: [bookingEvents],
  on: {
    BookingMade: ({ stream, revision, data: { customerId, seats, email } }) => {
      const bookingId = stream.slice(8)
      return bookingsCollection.change(bookingId, () => ({
        bookingId,
        revision,
        customerId,
        seats,
        email,
        status: 'open' as const,
      }))
    },
    BookingConfirmed: ({ stream, revision }) =>
      bookingsCollection.update(stream.slice(8), (document) => ({ ...document, revision, status: 'confirmed' })),
    BookingCancelled: ({ stream, revision }) =>
      bookingsCollection.update(stream.slice(8), (document) => ({ ...document, revision, status: 'cancelled' })),
  },
})

export const queries = [
  documentQuery({
    name: 'getBooking',
    route: 'GET /v1/bookings/{bookingId}',
    summary: 'Show a booking',
    who: owner((document: z.output<typeof BookingDocument>) => document.customerId, 'bookings'),
    from: bookings,
    of: bookingsCollection,
    parameters: z.object({ bookingId: Id }),
    id: ({ bookingId }) => bookingId,
  }),
  query({
    name: 'getVenue',
    route: 'GET /v1/venues/{venueId}',
    summary: 'Show a venue',
    who: anyone(),
    from: venues,
    parameters: z.object({ venueId: Id }),
    result: VenueShown,
    run: async ({ parameters, reader }) => (await reader.get(venuesCollection, [parameters.venueId]))[0],
  }),
  pageQuery({
    name: 'listBookings',
    route: 'GET /v1/bookings',
    summary: 'List bookings by their status',
    who: staff('bookings'),
    from: bookings,
    of: bookingsCollection,
    parameters: z.object({
      status: z
        .array(BookingDocument.shape.status)
        .max(3)
        .exactOptional()
        .meta({ description: 'How they stand', example: ['open'] }),
    }),
    item: BookingDocument,
    find: ({ parameters: { status } }) => ({
      index: 'byStatus',
      ...(status?.[0] !== undefined && { from: status[0], to: status.at(-1) ?? status[0] }),
    }),
    show: (documents) => documents,
  }),
]
