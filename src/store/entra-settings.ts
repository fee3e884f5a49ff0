// The column entra_settings: what of the projection has no column of its own.
import type { DirectoryApplication } from '../registration/registration.ts'

export type EntraSettings = Pick<DirectoryApplication, 'homePageUrl' | 'termsOfServiceUrl' | 'privacyStatementUrl' | 'isFallbackPublicClient' |
  'requiredResourceAccess' | 'grants' | 'certificates' | 'federatedIdentities'>

/** Of rows that an earlier release wrote, and of clients of Konnect. */
export const defaultEntraSettings: EntraSettings = {
  homePageUrl: null,
  termsOfServiceUrl: null,
  privacyStatementUrl: null,
  isFallbackPublicClient: null,
  requiredResourceAccess: null,
  grants: null,
  certificates: null,
  federatedIdentities: null
}
