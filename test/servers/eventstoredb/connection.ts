import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/**
 * One connection with a gate in it. HTTP/2 answers pings by itself, so a server that is to seem frozen must not get to see
 * its bytes, nor may its own go out.
 */
export interface GatedConnection {
  readonly stream: Duplex
  /** Lets nothing through in either direction. What is written waits. */
  close(): void
  open(): void
  /** Is gone at once, for both sides. */
  drop(): void
  /** Says no more, hears no more, and resolves when the other side has noticed; or drops it if that takes too long. */
  hangUp(): Promise<void>
}

const longestHangUpMs = 1000

/** @param delayMs how long each piece that is sent is held back, asked when it is sent */
export function gateConnection(socket: Socket, delayMs: () => number): GatedConnection {
  let isClosed = false
  let isDead = false
  /** What goes out when the gate opens, or when its time has come. */
  const held: { readonly bytes: Buffer; readonly dueMs: number; readonly sent: () => void }[] = []
  let timer: NodeJS.Timeout | undefined

  function release(): void {
    clearTimeout(timer)
    timer = undefined
    for (let next = held[0]; next && !isClosed && !isDead; next = held[0]) {
      const waitMs = next.dueMs - performance.now()
      if (waitMs > 0) {
        timer = setTimeout(release, waitMs)
        return
      }
      held.shift()
      socket.write(next.bytes, next.sent)
    }
  }

  function send(bytes: Buffer, sent: () => void): void {
    if (isDead) {
      sent()
      return
    }
    const heldMs = delayMs()
    if (!isClosed && heldMs === 0 && held.length === 0) {
      socket.write(bytes, sent)
      return
    }
    // A delay is no lack of room: what follows may be written meanwhile.
    const isDelayed = heldMs > 0 && !isClosed
    held.push({ bytes, dueMs: performance.now() + heldMs, sent: isDelayed ? () => {} : sent })
    if (isDelayed) sent()
    if (timer === undefined) release()
  }

  const stream = new Duplex({
    read() {
      if (!isClosed) socket.resume()
    },
    write(chunk: Buffer, _encoding, sent) {
      send(chunk, sent)
    },
    writev(chunks, sent) {
      send(Buffer.concat(chunks.map(({ chunk }) => chunk)), sent)
    },
    final(done) {
      socket.end(done)
    },
    destroy(error, done) {
      clearTimeout(timer)
      socket.destroy()
      done(error)
    },
  })
  socket.on('data', (bytes) => {
    if (!isDead && !stream.push(bytes)) socket.pause()
  })
  socket.on('end', () => (isDead ? stream.destroy() : stream.push(null)))
  socket.on('close', () => stream.destroy())
  socket.on('error', () => stream.destroy())
  stream.on('error', () => {
    // The one who was served here is gone.
  })

  return {
    stream,
    close() {
      isClosed = true
      socket.pause()
    },
    open() {
      isClosed = false
      socket.resume()
      release()
    },
    drop() {
      stream.destroy()
    },
    hangUp: () =>
      new Promise((resolve) => {
        isDead = true
        const longest = setTimeout(() => stream.destroy(), longestHangUpMs)
        stream.once('close', () => {
          clearTimeout(longest)
          resolve()
        })
        socket.resume()
        socket.end()
      }),
  }
}
