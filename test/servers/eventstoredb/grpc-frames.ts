/** How gRPC puts messages into a stream of bytes: a flag for compression, the length in four bytes, the message. */

const headerBytes = 5

/** A message with its header, ready to be sent. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, headerBytes)
  return frame
}

/**
 * Takes bytes as they come and hands over each message when it is whole.
 * @param onMessage gets a message's bytes, which are its own
 * @throws RangeError when a message is compressed, which no client of the tests does
 */
export function createFrameReader(onMessage: (message: Buffer) => void): (bytes: Buffer) => void {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let neededBytes = headerBytes
  return (bytes) => {
    pending.push(bytes)
    pendingBytes += bytes.length
    if (pendingBytes < neededBytes) return
    let rest = pending.length === 1 ? bytes : Buffer.concat(pending)
    for (;;) {
      neededBytes = headerBytes + (rest.length < headerBytes ? 0 : rest.readUInt32BE(1))
      if (rest.length < neededBytes) break
      if (rest[0] !== 0) throw new RangeError('Compressed messages are not understood here.')
      const message = rest.subarray(headerBytes, neededBytes)
      rest = rest.subarray(neededBytes)
      onMessage(message)
    }
    pending = rest.length > 0 ? [rest] : []
    pendingBytes = rest.length
  }
}
