// How a surface learns who calls.
import type { Caller, CallerKind } from '../registration/registration.ts'

/** Null: no such key of this kind, or it is revoked or expired. Throws StoreUnavailableError. */
export type RecogniseCaller = (kind: CallerKind, presentedKey: string) => Promise<Caller | null>

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by a surface's authentication before its handlers run. */
    caller: Caller | null
  }
}
