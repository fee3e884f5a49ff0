// Errors of the authorization endpoint and of the grants that follow it. Numbers and wording are Entra's as users report them.
import { AadstsError } from './aadsts-errors.ts'

export const redirectUriMissing = () => new AadstsError(400, 'invalid_request', 900971, 'No reply address provided.')

export const redirectUriMismatch = (redirectUri: string, clientId: string) => new AadstsError(400, 'invalid_request', 50011,
  `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${clientId}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.`)

export const responseModeUnsupported = (mode: string) => new AadstsError(400, 'invalid_request', 900561,
  `The endpoint does not answer in response_mode '${mode}' here: 'query' and 'fragment' are simulated.`)

export const responseTypeUnsupported = (responseType: string) => new AadstsError(400, 'unsupported_response_type', 70005,
  `The response_type '${responseType}' is not supported for the application.`)

export const challengeInvalid = () => new AadstsError(400, 'invalid_request', 501491, 'Invalid size of Code_Challenge parameter.')

export const requestMalformed = () => new AadstsError(400, 'invalid_request', 9002313, 'Invalid request. Request is malformed or invalid.')

export const challengeRequired = () => new AadstsError(400, 'invalid_request', 9002325,
  'Proof Key for Code Exchange is required for cross-origin authorization code redemption.')

export const resourceMismatch = () => new AadstsError(400, 'invalid_target', 9010010,
  "The resource parameter provided in the request doesn't match with the requested scopes.")

export const scopesOfSeveralResources = (scope: string) => new AadstsError(400, 'invalid_request', 28000,
  `Provided value for the input parameter scope is not valid because it contains more than one resource. Scope ${scope} is not valid.`)

export const defaultScopeMixed = (scope: string) => new AadstsError(400, 'invalid_scope', 70011,
  `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope '${scope}' is not valid. .default scope can't be combined with resource-specific scopes.`)

export const permissionUnknown = (name: string, permission: string, resourceAppId: string) => new AadstsError(400, 'invalid_client', 650053,
  `The application '${name}' asked for scope '${permission}' that doesn't exist on the resource '${resourceAppId}'. Contact the app vendor.`)

export const resourceDisabled = (resourceAppId: string) => new AadstsError(400, 'invalid_resource', 500014,
  `The service principal for resource '${resourceAppId}' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it.`)

export const resourceNotRequired = (name: string, resource: string) => new AadstsError(400, 'invalid_resource', 650057,
  `Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app: '${name}'. Resource value from request: '${resource}'.`)

export const consentRequired = (clientId: string, name: string) => new AadstsError(400, 'consent_required', 65001,
  `The user or administrator has not consented to use the application with ID '${clientId}' named '${name}'. Send an interactive authorization request for this user and resource.`)

export const grantInvalid = () => new AadstsError(400, 'invalid_grant', 70000, 'Provided grant is invalid or malformed.')

export const scopeNotGranted = () => new AadstsError(400, 'invalid_grant', 70000,
  'The request was denied because one or more scopes requested are unauthorized or expired. The user must first sign in and grant the client application access to the requested scope.')

export const codeSpent = () => new AadstsError(400, 'invalid_grant', 54005,
  'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.')

export const grantExpired = () => new AadstsError(400, 'invalid_grant', 70008,
  'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.')

export const browserGrantExpired = () => new AadstsError(400, 'invalid_grant', 700084,
  'The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page.')

export const redirectUriChanged = (redirectUri: string, requested: string) => new AadstsError(400, 'invalid_client', 500112,
  `The reply address '${redirectUri}' does not match the reply address '${requested}' provided when requesting Authorization code.`)

export const verifierMismatch = () => new AadstsError(400, 'invalid_grant', 501481,
  'The Code_Verifier does not match the code_challenge supplied in the authorization request.')

export const secretRequired = () => new AadstsError(401, 'invalid_client', 7000218,
  "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")

export const secretNotExpected = () => new AadstsError(401, 'invalid_client', 700025,
  "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")

export const originRequired = () => new AadstsError(400, 'invalid_request', 9002327,
  "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.")

export const originNotExpected = (origin: string) => new AadstsError(400, 'invalid_request', 9002326,
  `Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '${origin}'.`)
