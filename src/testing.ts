/** How a shop of its own tests what it is made of: `daybook/testing`. Whatever runs the tests; what fails throws an AssertionError. */

export { reactionsOf } from './testing/reactions.ts'
export { asCustomer, asStaff, happenings, readModel } from './testing/read-model.ts'
export { type Circumstances, firstInstant, type Happening, recorded } from './testing/recording.ts'
export { having, specification } from './testing/specification.ts'
