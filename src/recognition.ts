// Who calls, at each listener. Known once the database has answered: until then nobody is recognised.
import type { Scope } from './administration/callers-port.ts'
import type { ServiceTokens } from './entra/service-tokens.ts'
import { createRecogniser } from './environment-callers.ts'
import type { RecogniseCaller } from './http/callers.ts'
import { createFailedAuthentications, type FailedAuthentications } from './http/failed-authentications.ts'
import type { RecogniseRegistrant } from './http/register/authentication.ts'
import { createKnownCallers } from './known-callers.ts'
import { StoreUnavailableError, type Clock, type Log } from './registration/ports.ts'
import { createRegistrants, type RecogniseBearer } from './registrants.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import type { Bootstrap, EnvironmentCaller } from './store/bootstrap.ts'
import type { StoredCallers } from './store/caller-store.ts'
import type { StoredCatalogue } from './store/catalogue.ts'
import type { EnvelopeVault } from './vault/envelope-vault.ts'

/** What every listener does about keys and tokens that are nobody's. */
export function failuresOf ({ requests: { authenticationFailuresPerMinute: perMinute } }: CompleteSettings, clock: Pick<Clock, 'monotonicMs'>, log: Log): FailedAuthentications | undefined {
  if (perMinute === 0) return undefined
  return createFailedAuthentications({
    perMinute,
    monotonicMs: clock.monotonicMs,
    onExceeded: source => log.warn({ source, perMinute }, 'Too many keys or tokens that are not valid: further ones are answered with 429 and not logged for the rest of the minute')
  })
}

export interface RecognitionParts {
  settings: CompleteSettings
  /** Of the environment. */
  callers: readonly EnvironmentCaller[]
  catalogue: StoredCatalogue
  callerStore: StoredCallers
  tokens: ServiceTokens
  vault: EnvelopeVault
}

export interface Recognition {
  caller: RecogniseCaller
  registrant: RecogniseRegistrant
  /** What the database knows of the environment's callers. */
  begin (bootstrap: Bootstrap): void
}

export function createRecognition ({ settings, callers, catalogue, callerStore, tokens, vault }: RecognitionParts): Recognition {
  let recogniseCaller: RecogniseCaller = async () => { throw new StoreUnavailableError('Not started yet') }
  let recogniseBearer: RecogniseBearer = async () => { throw new StoreUnavailableError('Not started yet') }
  return {
    caller: async (kind, key) => await recogniseCaller(kind, key),
    registrant: async (providerId, bearer) => {
      if (bearer !== null) return await recogniseBearer(providerId, bearer)
      return settings.registrationMode === 'open' ? catalogue.anonymousCaller(providerId) : null
    },
    begin ({ callerIds, providerId }) {
      const environment = createRecogniser(callers, callerIds, vault, catalogue)
      recogniseCaller = createKnownCallers({
        environment,
        catalogue,
        callers: callerStore,
        tokens,
        operatorRoles: scopesByRole(settings),
        mainProviderId: providerId
      })
      recogniseBearer = createRegistrants({ recognise: environment, callers: callerStore, serviceTokens: tokens, catalogue })
    }
  }
}

/** The settings accept no other scopes. */
function scopesByRole ({ operatorTokens: { roles } }: CompleteSettings): ReadonlyMap<string, Scope[]> {
  return new Map(Object.entries(roles) as Array<[role: string, scopes: Scope[]]>)
}
