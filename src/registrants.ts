// Who may register over RFC 7591: tokens of the environment, tokens of our making, and Entra access tokens of services.
import type { ServiceTokens } from './entra/service-tokens.ts'
import type { RecogniseEnvironmentCaller } from './environment-callers.ts'
import { digestOfCallerToken } from './caller-tokens.ts'
import type { Caller } from './registration/registration.ts'
import type { StoredCallers } from './store/caller-store.ts'
import type { StoredCatalogue } from './store/catalogue.ts'

/**
 * The caller behind a bearer token of this provider, bound to it; null for any other token.
 * Throws StoreUnavailableError, and DirectoryError `unavailable` when the tenant's keys can't be had.
 */
export type RecogniseBearer = (providerId: string, bearer: string) => Promise<Caller | null>

export interface RegistrantsParts {
  /** The environment's keys. */
  recognise: RecogniseEnvironmentCaller
  callers: Pick<StoredCallers, 'findCallerByDigest' | 'ensureServiceCaller' | 'noteUse'>
  serviceTokens: Pick<ServiceTokens, 'applicationOf'>
  catalogue: Pick<StoredCatalogue, 'knowsPolicy' | 'load'>
}

export function createRegistrants ({ recognise, callers, serviceTokens, catalogue }: RegistrantsParts): RecogniseBearer {
  async function minted (bearer: string): Promise<Caller | null> {
    for (const kind of ['initial_access_token', 'service'] as const) {
      const digest = digestOfCallerToken(kind, bearer)
      const caller = digest === null ? null : await callers.findCallerByDigest(digest)
      // Another kind of token is not for registering, whatever its prefix.
      if (caller?.kind === kind) return caller
    }
    return null
  }

  async function service (providerId: string, bearer: string): Promise<Caller | null> {
    const applicationId = await serviceTokens.applicationOf(providerId, bearer)
    return applicationId === null ? null : await callers.ensureServiceCaller(providerId, applicationId)
  }

  return async (providerId, bearer) => {
    const caller = recognise('initial_access_token', bearer) ?? await minted(bearer) ?? await service(providerId, bearer)
    if (caller === null || (caller.providerId !== null && caller.providerId !== providerId)) return null
    // Tokens are looked up when they are shown, policies are kept: the token may be of a policy made a moment ago.
    if (!catalogue.knowsPolicy(caller.policyId)) await catalogue.load()
    callers.noteUse(caller.id)
    return { ...caller, providerId }
  }
}
