// Rows of strategies -> how a gateway recognises their clients' tokens.
import { readIssuer } from '../administration/entra-issuer.ts'
import { audienceRequiredBy } from '../administration/konnect-strategy.ts'
import type { StrategyContent } from '../administration/strategies-port.ts'
import type { GatewayStrategy } from '../gateway/port.ts'
import type { AuthStrategy } from '../registration/registration.ts'

/** What a gateway needs beside what the core knows of a strategy. */
export type GatewayStrategyRow = Pick<StrategyContent, 'issuer' | 'credentialClaim' | 'audience' | 'authMethods' | 'extraConfig' | 'checkSecretsAtEntra'>

export function toGatewayStrategy (row: AuthStrategy & GatewayStrategyRow): GatewayStrategy {
  // The same audiences that Kong's plugin is told to demand.
  const audiences = audienceRequiredBy(row) ?? []
  return {
    id: row.id,
    providerId: row.providerId,
    name: row.name,
    konnectAuthStrategyId: row.konnectAuthStrategyId,
    issuerVersion: readIssuer(row.issuer)?.version ?? null,
    credentialClaim: row.credentialClaim,
    audiences: audiences.filter(audience => typeof audience === 'string'),
    authMethods: row.authMethods,
    checkSecretsAtEntra: row.checkSecretsAtEntra
  }
}
