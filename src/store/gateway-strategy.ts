// Rows of strategies -> how a gateway recognises their clients' tokens.
import { readIssuer } from '../administration/entra-issuer.ts'
import { audienceRequiredBy } from '../administration/konnect-strategy.ts'
import type { GatewayStrategy } from '../gateway/port.ts'
import type { Json } from '../registration/registration.ts'
import type { AuthStrategyModel } from './generated/models.ts'

export function toGatewayStrategy (row: AuthStrategyModel): GatewayStrategy {
  // The same audiences that Kong's plugin is told to demand.
  const audiences = audienceRequiredBy({
    ...row,
    tokenVersion: row.tokenVersion === 2 ? 2 : 1,
    extraConfig: row.extraConfig as Record<string, Json>,
    labels: row.labels as Record<string, string>
  })
  return {
    id: row.id,
    providerId: row.providerId,
    name: row.name,
    konnectAuthStrategyId: row.konnectAuthStrategyId,
    issuerVersion: readIssuer(row.issuer)?.version ?? null,
    credentialClaim: row.credentialClaim,
    audiences: (audiences ?? []).filter(audience => typeof audience === 'string'),
    authMethods: row.authMethods,
    checkSecretsAtEntra: row.checkSecretsAtEntra
  }
}
