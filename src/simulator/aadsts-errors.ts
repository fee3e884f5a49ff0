// Errors of the identity endpoints: RFC 6749 §5.2 with Entra's AADSTS numbers around it.

export class AadstsError extends Error {
  readonly status: number
  readonly error: string
  readonly number: number

  constructor (status: number, error: string, number: number, message: string) {
    super(message)
    this.status = status
    this.error = error
    this.number = number
  }

  get uri (): string { return `https://login.microsoftonline.com/error?code=${this.number}` }

  /** The JSON body of the token endpoint. */
  toBody (ids: { date: Date, traceId: string, correlationId: string }) {
    const timestamp = `${ids.date.toISOString().slice(0, 19).replace('T', ' ')}Z`
    return {
      error: this.error,
      error_description: `AADSTS${this.number}: ${this.message} Trace ID: ${ids.traceId} Correlation ID: ${ids.correlationId} Timestamp: ${timestamp}`,
      error_codes: [this.number],
      timestamp,
      trace_id: ids.traceId,
      correlation_id: ids.correlationId,
      error_uri: this.uri
    }
  }
}

export const tenantNotFound = (tenant: string) => new AadstsError(400, 'invalid_request', 90002,
  `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`)

export const parameterMissing = (name: string) => new AadstsError(400, 'invalid_request', 900144,
  `The request body must contain the following parameter: '${name}'.`)

export const methodNotAccepted = (method: string) => new AadstsError(400, 'invalid_request', 900561,
  `The endpoint only accepts POST, OPTIONS requests. Received a ${method} request.`)

export const unsupportedGrantType = (grantType: string) => new AadstsError(400, 'unsupported_grant_type', 70003,
  `The app requested an unsupported grant type '${grantType}'.`)

export const credentialMissing = () => new AadstsError(401, 'invalid_client', 7000216,
  "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")

export const applicationNotFound = (clientId: string, tenantId: string) => new AadstsError(400, 'unauthorized_client', 700016,
  `Application with identifier '${clientId}' was not found in the directory '${tenantId}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`)

export const principalMissing = (clientId: string, tenantId: string) => new AadstsError(400, 'unauthorized_client', 7000229,
  `The client application ${clientId} is missing service principal in the tenant ${tenantId}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`)

export const principalDisabled = (clientId: string, name: string) => new AadstsError(400, 'unauthorized_client', 7000112,
  `Application '${clientId}'(${name}) is disabled.`)

export const secretInvalid = (clientId: string) => new AadstsError(401, 'invalid_client', 7000215,
  `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`)

export const secretExpired = (clientId: string) => new AadstsError(401, 'invalid_client', 7000222,
  `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`)

export const assertionMalformed = () => new AadstsError(401, 'invalid_client', 50027, 'JWT token is invalid or malformed.')

export const assertionCertificateUnknown = (thumbprint: string) => new AadstsError(401, 'invalid_client', 700027,
  `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '${thumbprint}']`)

export const assertionOutOfTime = () => new AadstsError(401, 'invalid_client', 700024,
  'Client assertion is not within its valid time range.')

export const assertionRefused = (why: string) => new AadstsError(401, 'invalid_client', 700023,
  `Client assertion is not accepted: ${why}`)

export const federationUnknown = (subject: string) => new AadstsError(401, 'invalid_client', 700213,
  `No matching federated identity record found for presented assertion subject '${subject}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`)

export const resourceNotFound = (resource: string, tenantId: string) => new AadstsError(400, 'invalid_resource', 500011,
  `The resource principal named ${resource} was not found in the tenant named ${tenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`)

export const roleMissing = (clientId: string, resource: string, name: string) => new AadstsError(400, 'invalid_grant', 501051,
  `Application '${clientId}'(${name}) is not assigned to a role for the application '${resource}'.`)

export const scopeMalformed = (scope: string) => new AadstsError(400, 'invalid_scope', 1002012,
  `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`)

export const scopeOfSeveralResources = (scope: string) => new AadstsError(400, 'invalid_scope', 70011,
  `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`)

export const transientError = () => new AadstsError(500, 'server_error', 90033, 'A transient error has occurred. Please try again.')
