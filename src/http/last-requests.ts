// The last request of a connection: its answer ends it, and whatever has come behind it in the same packet is served by nobody (RFC 9112 §9.6).
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

const last = new WeakMap<Socket, IncomingMessage>()

/** Its answer ends the connection. */
export function endConnectionAfter ({ raw }: Pick<FastifyRequest, 'raw'>, reply: FastifyReply): void {
  if (!last.has(raw.socket)) last.set(raw.socket, raw)
  reply.header('connection', 'close')
}

/** Node reads as requests all that it finds, before the answer to the first of them has left. */
export function isBehindTheLast ({ raw }: Pick<FastifyRequest, 'raw'>): boolean {
  return (last.get(raw.socket) ?? raw) !== raw
}
