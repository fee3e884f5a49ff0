// A body of lines, read whole before anything is done with it: nothing is made of half an upload, and a slow one holds nobody up. Bounded
// in the length of a line, their number and their sum.
import { TextDecoder } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../problems.ts'
import { NDJSON } from './transfer-schemas.ts'

export interface LineLimits {
  /** UTF-16 units of a line. */
  maxLength: number
  maxLines: number
  /** Bytes of the body. */
  maxBytes: number
}

export const lineLimits: LineLimits = { maxLength: 64 * 1024, maxLines: 10_000, maxBytes: 16 * 1024 * 1024 }

/** A line and its number, from 1. */
export interface Line {
  number: number
  text: string
}

/** For a scope of its own: its routes get `Line[]` as their body, without the empty ones. */
export const ndjsonBodies = fp(async (server: FastifyInstance, limits: LineLimits) => {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(NDJSON, async (request: FastifyRequest, payload: AsyncIterable<Buffer>) => {
    const coding = request.headers['content-encoding']
    if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') throw new ProblemError(415, 'The body must not be compressed.')
    return await linesOf(payload, limits)
  })
  server.addContentTypeParser('*', async () => {
    throw new ProblemError(415, `The body must be ${NDJSON}: one JSON object a line.`)
  })
}, { name: 'ndjson-bodies' })

/** @throws ProblemError 400, 413 */
async function linesOf (payload: AsyncIterable<Buffer>, { maxBytes, maxLines, maxLength }: LineLimits): Promise<Line[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const lines: Line[] = []
  let [number, bytes, rest] = [0, 0, '']

  function take (text: string): void {
    number += 1
    if (text.length > maxLength) throw new ProblemError(413, `Line ${number} is longer than ${maxLength} characters.`)
    if (text.trim() !== '') lines.push({ number, text })
    if (lines.length > maxLines) throw new ProblemError(413, `The body has more than ${maxLines} lines. Send the others in another request.`)
  }

  for await (const chunk of payload) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new ProblemError(413, `The body is larger than ${maxBytes} bytes. Send it in parts.`)
    const texts = (rest + decoded(decoder, chunk)).split('\n')
    rest = texts.pop() ?? ''
    texts.forEach(take)
    if (rest.length > maxLength) take(rest)
  }
  take(rest + decoded(decoder))
  return lines
}

function decoded (decoder: TextDecoder, chunk?: Buffer): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
  } catch {
    throw new ProblemError(400, 'The body is not UTF-8.')
  }
}
