// What a document would become under a policy, and how that is written: nothing is made.
import { judgeMetadata } from './metadata/accept-metadata.ts'
import { documentOf } from './metadata/registered-document.ts'
import type { RequestedMetadata } from './metadata/requested-metadata.ts'
import type { RegistrationError } from './errors.ts'
import type { Policy } from './policy.ts'
import type { Ports } from './ports.ts'
import type { ClientMetadata, DirectoryApplication } from './registration.ts'
import { translate } from './translation.ts'

export const UNNAMED = 'Unnamed client'

/** What a request would become. */
export interface Preview {
  policy: string
  metadata: ClientMetadata
  projection: DirectoryApplication
}

export type JudgedDocument = Preview | { policy: string, refusals: RegistrationError[] }

/** Every refusal, not the first alone. Quotas are not counted. */
export function judgeDocument (
  { catalogue, clock }: Pick<Ports, 'catalogue' | 'clock'>, policy: Pick<Policy, 'name' | 'rules'>, providerId: string, requested: RequestedMetadata
): JudgedDocument {
  const { name, rules } = policy
  const scopes = catalogue.scopes(providerId)
  const judged = judgeMetadata(requested, { rules, scopes, now: clock.now(), unnamed: UNNAMED })
  if ('refusals' in judged) return { policy: name, refusals: judged.refusals }
  const { metadata } = judged
  const identity = { registrationId: clock.uuid(), installationId: catalogue.installationId() }
  return { policy: name, metadata, projection: translate(metadata, catalogue.defaultStrategy(providerId), identity, { rules, scopes }) }
}

/** What Entra would get, in Graph's names; what would not be written is left out. */
export function documentOfPreview ({ policy, metadata, projection }: Preview) {
  const { displayName, redirectUris, requiredResourceAccess, grants, certificates, federatedIdentities } = projection
  return {
    policy,
    registered: documentOf(metadata),
    entra: {
      displayName,
      platforms: redirectUris,
      requiredResourceAccess: requiredResourceAccess ?? [],
      grantedAccess: grants?.granted ?? [],
      ...(projection.isFallbackPublicClient !== null && { isFallbackPublicClient: projection.isFallbackPublicClient }),
      ...(projection.homePageUrl !== null && { homePageUrl: projection.homePageUrl }),
      ...(projection.termsOfServiceUrl !== null && { termsOfServiceUrl: projection.termsOfServiceUrl }),
      ...(projection.privacyStatementUrl !== null && { privacyStatementUrl: projection.privacyStatementUrl }),
      ...(certificates !== null && {
        keyCredentials: certificates.map(({ displayName, startsAt, endsAt }) => ({ displayName, startDateTime: startsAt, endDateTime: endsAt }))
      }),
      ...(federatedIdentities !== null && { federatedIdentityCredentials: federatedIdentities.map(each => ({ ...each })) })
    }
  }
}
