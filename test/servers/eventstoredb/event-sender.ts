import type { Call } from './grpc-server.ts'

/** Sends the answers of one read or subscription, many in a write. */
export interface EventSender {
  /** Puts a frame behind the others. @returns false when the caller should wait until it is `ready` for more */
  add(frame: Buffer): boolean
  /** Sends what is there. @returns false as `add` */
  flush(): boolean
  ready(): Promise<void>
}

const writeBytes = 32_768

/**
 * A sender for a call.
 * @param shouldCut is asked before each frame: shall the connection break before it?
 * @param cut breaks the connection, after what was added before has left
 */
export function createEventSender(call: Call, shouldCut: () => boolean, cut: () => void): EventSender {
  let frames: Buffer[] = []
  let bytes = 0
  let isCut = false

  function flush(): boolean {
    if (frames.length === 0) return true
    const all = Buffer.concat(frames, bytes)
    frames = []
    bytes = 0
    return call.send(all)
  }

  return {
    add(frame) {
      if (isCut) return false
      if (shouldCut()) {
        isCut = true
        flush()
        return false
      }
      frames.push(frame)
      bytes += frame.length
      return bytes < writeBytes ? true : flush()
    },
    flush,
    async ready() {
      await call.drained()
      if (!isCut) return
      // What is under way leaves first: the client has read so much, and no more.
      await new Promise((resolve) => setImmediate(resolve))
      cut()
    },
  }
}
