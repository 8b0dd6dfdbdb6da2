import services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import streams, { type DeleteReq } from '@eventstore/db-client/generated/streams_pb.js'
import { CallFailure, type Method, unary } from './grpc-server.ts'
import type { EventLog, ExpectedRevision } from './log.ts'
import { streamDeleted, wrongExpectedVersion } from './status.ts'

/** `Delete`, after which a stream may be written again, and `Tombstone`, after which it may not. */
export function deleteMethods(log: EventLog): [path: string, method: Method][] {
  function remove(options: DeleteReq.Options | undefined, forEver: boolean): string {
    const name = Buffer.from(options?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()
    const expected = expectedRevision(options)
    const outcome = log.remove(name, expected, forEver)
    if (outcome.kind === 'deleted') throw new CallFailure(streamDeleted(name))
    if (outcome.kind === 'wrong-expected-version') {
      throw new CallFailure(wrongExpectedVersion('Delete', name, expected, outcome.actual))
    }
    return String(outcome.position)
  }

  return [
    unary(services.StreamsService.delete, (request) => {
      const at = remove(request.getOptions(), false)
      const position = new streams.DeleteResp.Position()
      position.setCommitPosition(at)
      position.setPreparePosition(at)
      const answer = new streams.DeleteResp()
      answer.setPosition(position)
      return answer
    }),
    unary(services.StreamsService.tombstone, (request) => {
      const at = remove(request.getOptions(), true)
      const position = new streams.TombstoneResp.Position()
      position.setCommitPosition(at)
      position.setPreparePosition(at)
      const answer = new streams.TombstoneResp()
      answer.setPosition(position)
      return answer
    }),
  ]
}

function expectedRevision(options: DeleteReq.Options | undefined): ExpectedRevision {
  if (!options || options.hasAny()) return 'any'
  if (options.hasNoStream()) return 'no_stream'
  return options.hasStreamExists() ? 'stream_exists' : Number(options.getRevision())
}
