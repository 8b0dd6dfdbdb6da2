import { request } from 'node:http'
import { serveHttp } from '../adapters/sandbox/http-server.ts'

/** What becomes of a request: it is passed on; or lost; or done, and its answer is lost, or breaks off in the middle. */
export type Fate = 'pass' | 'lose-request' | 'lose-answer' | 'break-answer'

export interface LossyProxy {
  readonly url: string
  /** The requests that arrived, those that were lost included. */
  readonly seen: readonly { readonly method: string; readonly path: string; readonly key: string | undefined }[]
}

/**
 * Stands between a client and a shop, and loses what it is told to.
 * @param fates of the requests, one after the other; those beyond are passed on
 */
export async function lossyProxy(target: string, fates: readonly Fate[]): Promise<LossyProxy> {
  const seen: LossyProxy['seen'][number][] = []
  const url = await serveHttp((asked, answer) => {
    const { method = '', url: path = '', headers } = asked
    const key = headers['idempotency-key']
    const fate = fates[seen.push({ method, path, key: typeof key === 'string' ? key : undefined }) - 1] ?? 'pass'
    if (fate === 'lose-request') {
      asked.socket.destroy()
      return
    }
    const passed = request(new URL(path, target), { method, headers }, (answered) => {
      if (fate === 'lose-answer') {
        answered.resume().on('end', () => asked.socket.destroy())
        return
      }
      answer.writeHead(answered.statusCode ?? 500, answered.headers)
      if (fate === 'pass') answered.pipe(answer)
      else answered.once('data', (chunk: Buffer) => answer.write(chunk.subarray(0, 5), () => asked.socket.destroy()))
    })
    asked.pipe(passed)
  })
  return { url, seen }
}
