import { stripTypeScriptTypes } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'

/** A thread that makes JavaScript of TypeScript, for browsers. It is one because Node.js warns of what it calls an experiment. */

const sources = z.array(z.string()).parse(workerData)
parentPort?.postMessage(sources.map((source) => stripTypeScriptTypes(source)))
