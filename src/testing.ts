/** How a shop of its own tests what it is made of: `daybook/testing`. Whatever runs the tests; what fails throws an AssertionError. */

export { reactionsOf, recorded } from './testing/reactions.ts'
export {
  asCustomer,
  asStaff,
  type Circumstances,
  given,
  type Happening,
  happenings,
  start,
} from './testing/read-model.ts'
export { having, specification } from './testing/specification.ts'
