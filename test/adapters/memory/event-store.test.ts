import { memoryEventStore } from '../../../src/adapters/memory/event-store.ts'
import { eventStoreContract } from '../../contract/event-store.ts'

eventStoreContract('the event store in memory', { open: async () => memoryEventStore(), propertyRuns: 200 })
