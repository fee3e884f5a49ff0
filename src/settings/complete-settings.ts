// Puts what the sandbox made in the place of what was missing.
import { concealedCallers, concealedCredential, concealedDatabase } from './concealed.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { EntraSettings, EntraTenant, PublicListener, Settings } from './settings.ts'

/** Settings with every part present: what the broker is assembled from. */
export interface CompleteSettings extends Settings {
  publicListener: PublicListener
  database: { url: string }
  keyringFile: string
  entra: EntraSettings & { tenant: EntraTenant }
}

/** What the sandbox has made; a part that is not replaced is left out. */
export interface Replacements {
  databaseUrl?: string
  keyringFile?: string
  tenant?: EntraTenant
  konnectApiKeys?: readonly string[]
  adminApiKeys?: readonly string[]
  initialAccessTokens?: readonly string[]
}

/**
 * The settings with `made` in the place of what is missing; what is there is not overridden.
 *
 * @throws {Error} when a part is neither set nor made
 */
export function completeSettings (settings: Settings, made: Replacements = {}): CompleteSettings {
  const url = settings.database?.url ?? made.databaseUrl
  const keyringFile = settings.keyringFile ?? made.keyringFile
  const tenant = settings.entra.tenant ?? made.tenant
  if (url === undefined || keyringFile === undefined || tenant === undefined) {
    throw new Error('The sandbox has not replaced every missing part: database, keyring and tenant are needed.')
  }
  const { konnectApiKeys, adminApiKeys, gatewayApiKeys, initialAccessTokens } = settings.callers
  return deepFreeze({
    ...settings,
    database: concealedDatabase({ url }),
    keyringFile,
    entra: { ...settings.entra, tenant: { ...tenant, credential: concealedCredential(tenant.credential) } },
    callers: concealedCallers({
      konnectApiKeys: konnectApiKeys.length > 0 ? konnectApiKeys : [...made.konnectApiKeys ?? []],
      adminApiKeys: adminApiKeys.length > 0 ? adminApiKeys : [...made.adminApiKeys ?? []],
      gatewayApiKeys,
      initialAccessTokens: initialAccessTokens.length > 0 ? initialAccessTokens : [...made.initialAccessTokens ?? []]
    })
  })
}
