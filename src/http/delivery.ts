// What becomes of an answer: whether its last byte left before the socket closed.
import type { FastifyReply } from 'fastify'
import type { DeliveryOutcome } from '../registration/ports.ts'

/** Calls `mark` once. Delivered: the answer has gone to the operating system whole. */
export function watchDelivery (reply: FastifyReply, mark: (outcome: DeliveryOutcome) => void): void {
  if (reply.raw.destroyed) return mark('not_delivered')
  reply.raw.once('close', () => mark(reply.raw.writableFinished ? 'delivered' : 'not_delivered'))
}
