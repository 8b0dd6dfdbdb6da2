import { z } from 'zod'
import { type Child, startChild } from './child.ts'
import type { LimitQuestion } from './limit-server.ts'

/** Starts a bare server in a process of its own. @returns its address */
export async function startLimit(question: LimitQuestion): Promise<{ readonly url: string } & Pick<Child, 'stop'>> {
  const child = startChild('./limit-server.ts')
  return { url: z.string().parse(await child.ask(question)), stop: child.stop }
}
