// Applications, certificates and federated identities that every directory has to take, a real tenant included.
import { X509Certificate } from 'node:crypto'
import type { Certificate, DirectoryApplication, FederatedIdentity } from '../../src/registration/registration.ts'
import { selfSigned } from './self-signed.ts'
import { someProjection } from '../support/records.ts'

/** A plain application that a directory has to take. */
export function wantedFor (registrationId: string, change: Partial<DirectoryApplication> = {}): DirectoryApplication {
  return someProjection({
    displayName: `dcr-broker contract o'test ${registrationId.slice(0, 8)} https://x.example/?a&b`,
    tags: ['dcr-broker', 'dcr-inst:contract', `dcr-reg:${registrationId}`],
    accessTokenVersion: 2,
    redirectUris: { web: ['https://contract.example/callback'], publicClient: ['http://localhost/callback'], spa: [] },
    ...change
  })
}

/** All that a registration can bring beyond its name and redirect URIs. The permission is Microsoft Graph's User.Read. */
export const rich: Partial<DirectoryApplication> = {
  homePageUrl: 'https://contract.example/',
  termsOfServiceUrl: 'https://contract.example/terms',
  privacyStatementUrl: 'https://contract.example/privacy',
  isFallbackPublicClient: true,
  requiredResourceAccess: [{
    resourceAppId: '00000003-0000-0000-c000-000000000000', permissions: [{ id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d', type: 'Scope' }]
  }]
}

/** Takes away again what `rich` brought. */
export const cleared: Partial<DirectoryApplication> = {
  homePageUrl: '', termsOfServiceUrl: '', privacyStatementUrl: '', isFallbackPublicClient: false, requiredResourceAccess: []
}

/** A certificate of its own each time. */
export function freshCertificate (): Certificate {
  const certificate = new X509Certificate(selfSigned('contract').certificate)
  const [startsAt, endsAt] = [certificate.validFrom, certificate.validTo].map(text => new Date(text).toISOString())
  if (startsAt === undefined || endsAt === undefined) throw new Error('a certificate without dates')
  return { displayName: 'contract', der: certificate.raw.toString('base64'), startsAt, endsAt }
}

/** A trust that differs from others by its subject. */
export function trust (number: number, audience = 'api://AzureADTokenExchange'): FederatedIdentity {
  return { issuer: 'https://issuer.contract.example', subject: `repo:contract/o'test:${number}`, audience }
}
