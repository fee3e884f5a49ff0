// Who stands behind a key: keys of the environment, keys of our making, and Entra access tokens of operators and services.
import type { Scope } from './administration/callers-port.ts'
import { isMintedKind } from './administration/caller-rules.ts'
import { digestOfCallerToken } from './caller-tokens.ts'
import type { EntraOperator, ServiceTokens } from './entra/service-tokens.ts'
import type { RecogniseEnvironmentCaller } from './environment-callers.ts'
import type { RecogniseCaller } from './http/callers.ts'
import type { Caller, CallerKind } from './registration/registration.ts'
import type { StoredCallers } from './store/caller-store.ts'
import type { StoredCatalogue } from './store/catalogue.ts'

export interface KnownCallersParts {
  environment: RecogniseEnvironmentCaller
  catalogue: Pick<StoredCatalogue, 'callerOfKey' | 'load'>
  callers: Pick<StoredCallers, 'findCallerByDigest' | 'ensureServiceCaller' | 'ensureOperatorCaller' | 'noteUse'>
  tokens: Pick<ServiceTokens, 'providersOf' | 'applicationOf' | 'operatorOf'>
  /** Scopes by app role. */
  operatorRoles: ReadonlyMap<string, readonly Scope[]>
  /** Operators of its tenant are bound to no provider. */
  mainProviderId: string
}

export function createKnownCallers (parts: KnownCallersParts): RecogniseCaller {
  const { environment, catalogue, callers, tokens, operatorRoles, mainProviderId } = parts

  async function minted (kind: CallerKind, key: string): Promise<Caller | null> {
    const digest = isMintedKind(kind) ? digestOfCallerToken(kind, key) : null
    if (digest === null) return null
    // These come with every request: they are kept. One that is not there may have been made a moment ago, at another replica.
    const isKept = kind === 'konnect' || kind === 'operator' || kind === 'gateway'
    const kept = isKept ? catalogue.callerOfKey(kind, digest) : null
    if (kept !== null) return kept
    const caller = await callers.findCallerByDigest(digest)
    if (caller?.kind !== kind) return null
    // Its provider may be as new as it is.
    if (isKept) await catalogue.load()
    return caller
  }

  async function withEntraToken (kind: CallerKind, token: string): Promise<Caller | null> {
    // Read once, however many providers there are: anybody can show something that looks like one.
    for (const id of kind === 'operator' || kind === 'service' ? tokens.providersOf(token) : []) {
      const caller = kind === 'operator' ? await operatorOf(id, token) : await serviceOf(id, token)
      // Several may be of one tenant: whoever was shut out at the first that knows the token is not let in at the next.
      if (caller !== undefined) return caller
    }
    return null
  }

  /** Undefined: no token of this provider; null: its bearer is shut out. */
  async function serviceOf (providerId: string, token: string): Promise<Caller | null | undefined> {
    const applicationId = await tokens.applicationOf(providerId, token)
    return applicationId === null ? undefined : await callers.ensureServiceCaller(providerId, applicationId)
  }

  async function operatorOf (providerId: string, token: string): Promise<Caller | null | undefined> {
    const operator = await tokens.operatorOf(providerId, token)
    if (operator === null) return undefined
    const caller = await callers.ensureOperatorCaller(providerId, providerId === mainProviderId ? null : providerId, operator.identity)
    // What the roles allow, unless another operator has taken something of it away.
    return caller === null ? null : { ...caller, scopes: scopesOf(operator).filter(scope => caller.scopes.includes(scope)) }
  }

  const scopesOf = ({ roles }: EntraOperator) => [...new Set(roles.flatMap(role => operatorRoles.get(role) ?? []))]

  return async (kind, key) => {
    const caller = environment(kind, key) ?? await minted(kind, key) ?? await withEntraToken(kind, key)
    if (caller !== null) callers.noteUse(caller.id)
    return caller
  }
}
