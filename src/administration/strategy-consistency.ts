// Whether the parts of an auth strategy fit together and fit Entra: what can't work is refused with the way out, what is merely doubtful is said.
// The facts are those of Microsoft's access token reference and of Kong's openid-connect plugin: docs/strategies.md.
import { cloudsOfIssuer, knownClouds } from './clouds.ts'
import { namesNoTenant, readIssuer, type EntraIssuer } from './entra-issuer.ts'
import { audienceOf, audienceRequiredBy, isClientCredentials, resourceArgumentOf } from './konnect-strategy.ts'
import { secretsIn } from './plugin-secrets.ts'
import type { StrategyContent, StrategyProvider } from './strategies-port.ts'

export interface Judgement {
  faults: Array<{ field: string, reason: string }>
  /** Sentences. */
  warnings: string[]
}

type Subject = Pick<StrategyProvider, 'name' | 'tenantId' | 'issuer'>

interface Notes extends Judgement {
  content: StrategyContent
  issuer: EntraIssuer | null
  /** Of the tokens: as the issuer says, else as the strategy says. */
  version: 1 | 2
}

const CONFIG = 'configs.openid-connect'
const CLAIMS = { 1: 'appid', 2: 'azp' } as const
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const DEFAULT_SCOPE = /^(.+)\/\.default$/
const MICROSOFT_GRAPH: ReadonlySet<string> = new Set([
  '00000003-0000-0000-c000-000000000000', 'https://graph.microsoft.com', 'https://graph.microsoft.us', 'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn'
])
/** In tokens of Entra, and never the client's id. */
const OTHER_CLAIMS: ReadonlySet<string> = new Set(['client_id', 'sub', 'oid', 'aud', 'iss', 'tid'])

export function judgeStrategy (content: StrategyContent, provider: Subject): Judgement {
  const issuer = readIssuer(content.issuer)
  const notes: Notes = { content, issuer, version: issuer?.version ?? content.tokenVersion, faults: [], warnings: [] }
  judgeIssuer(notes, provider)
  judgeVersion(notes)
  judgeClaim(notes)
  judgeGraph(notes)
  judgeScopes(notes)
  judgeAudience(notes)
  judgeResourceArgument(notes)
  judgeMethods(notes)
  judgeVerification(notes)
  for (const member of secretsIn(content.extraConfig)) {
    refuse(notes, `${CONFIG}.${member}`, `${member} is a secret, and strategies are shown to everybody who may read. Give a reference, {vault://…}, or configure it in Kong.`)
  }
  return { faults: notes.faults, warnings: notes.warnings }
}

function refuse ({ faults }: Notes, field: string, reason: string): void {
  faults.push({ field, reason })
}

function judgeIssuer (notes: Notes, { name, tenantId, issuer: issuerOfProvider }: Subject): void {
  const { issuer, warnings } = notes
  const clouds = cloudsOfIssuer(issuerOfProvider)
  const [cloud = knownClouds[0]] = clouds
  const forms = `https://${cloud.v1IssuerHost}/${tenantId}/ (v1) or https://${cloud.loginHosts[0]}/${tenantId}/v2.0 (v2)`
  const named = cloudsOfIssuer(notes.content.issuer)
  if (issuer === null) {
    warnings.push(`The issuer is in neither of Entra's forms, ${forms}: nothing that depends on it is checked.`)
  } else if (namesNoTenant(issuer)) {
    refuse(notes, `${CONFIG}.issuer`, `The issuer names no tenant, and the tokens of the clients do: use ${forms}.`)
  } else if (named.length > 0 && clouds.length > 0 && !named.some(one => clouds.includes(one))) {
    refuse(notes, `${CONFIG}.issuer`, `The issuer is of another cloud than the provider ${name}, where its clients get their tokens: use ${forms}.`)
  } else if (GUID.test(issuer.tenant) && GUID.test(tenantId)) {
    if (issuer.tenant !== tenantId.toLowerCase()) {
      refuse(notes, `${CONFIG}.issuer`, `The issuer is of the tenant ${issuer.tenant}, the provider ${name} of ${tenantId}, where its clients get their tokens: use ${forms}, or the provider of the other tenant.`)
    }
  } else if (issuer.tenant !== tenantId.toLowerCase()) {
    warnings.push(`The issuer names the tenant ${issuer.tenant}, the provider ${tenantId}: whether they are the same has not been checked.`)
  }
}

// The resource decides the version of its tokens, so a strategy can only say one.
function judgeVersion (notes: Notes): void {
  const { issuer, content: { tokenVersion } } = notes
  if (issuer === null || issuer.version === tokenVersion) return
  refuse(notes, 'token_version', `The issuer is that of v${issuer.version} tokens and token_version is ${tokenVersion}: set token_version to ${issuer.version}, or use the issuer of v${tokenVersion} tokens.`)
}

function judgeClaim (notes: Notes): void {
  const { version, content: { credentialClaim }, warnings } = notes
  const [claim, ...more] = credentialClaim
  const wanted = CLAIMS[version]
  const field = `${CONFIG}.credential_claim`
  if (claim === undefined) {
    refuse(notes, field, `Kong finds the client by this claim: set it to ["${wanted}"].`)
  } else if (more.length > 0) {
    refuse(notes, field, `Several values are a path into a nested claim, not alternatives, and Entra nests no client id: set it to ["${wanted}"].`)
  } else if (claim === CLAIMS[version === 1 ? 2 : 1]) {
    const other = version === 1 ? 'the v2 issuer and token_version 2' : 'the v1 issuer and token_version 1'
    refuse(notes, field, `v${version} tokens carry the client's id in ${wanted}, not in ${claim}: set it to ["${wanted}"], or use ${other}.`)
  } else if (OTHER_CLAIMS.has(claim)) {
    refuse(notes, field, `Entra's tokens never carry the client's id in ${claim}: set it to ["${wanted}"].`)
  } else if (claim !== wanted) {
    warnings.push(`Entra's own claim with the client's id is ${wanted}; ${claim} works only where a claims mapping puts it there.`)
  }
}

// Entra: tokens for Microsoft Graph carry a nonce in their header and do not validate for anybody else.
function judgeGraph (notes: Notes): void {
  const { content } = notes
  const sentence = 'Tokens for Microsoft Graph can be validated by Microsoft Graph only: name an API of your own'
  const isGraph = (resource: string | null) => resource !== null && MICROSOFT_GRAPH.has(resource.replace(/\/$/, '').toLowerCase())
  if (isGraph(content.resourceAppId)) refuse(notes, 'resource_app_id', `${sentence}, by its appId.`)
  if (isGraph(content.audience)) refuse(notes, 'audience', `${sentence}.`)
  const scopes = content.scopes.filter(scope => isGraph(scope.replace(/\/[^/]*$/, '')))
  if (scopes.length > 0) refuse(notes, `${CONFIG}.scopes`, `${sentence}, as in api://orders/.default instead of ${scopes.join(' ')}.`)
  const argument = resourceArgumentOf(content)
  if (argument !== audienceOf(content) && isGraph(argument)) refuse(notes, `${CONFIG}.token_post_args_values`, `${sentence} as resource.`)
}

// Entra: AADSTS1002012, client credentials take one <resource>/.default. The v1 endpoint does not read scopes.
function judgeScopes (notes: Notes): void {
  const { version, content, warnings } = notes
  if (!isClientCredentials(content)) return
  const { scopes } = content
  const field = `${CONFIG}.scopes`
  const example = `["${content.audience ?? content.resourceAppId ?? 'api://orders'}/.default"]`
  if (version === 1) {
    const unread = scopes.filter(scope => !DEFAULT_SCOPE.test(scope))
    if (unread.length > 0) warnings.push(`The v1 token endpoint does not read scopes: with client_credentials ${unread.join(' ')} has no effect. audience decides what the tokens are for.`)
    return
  }
  if (scopes.includes('openid')) {
    const split = content.authMethods.includes('authorization_code') ? ' Make another strategy for authorization_code.' : ''
    refuse(notes, field, `Entra refuses openid with client_credentials (AADSTS1002012): set scopes to ${example}, or take client_credentials out of auth_methods.${split}`)
  } else if (scopes.length !== 1 || !DEFAULT_SCOPE.test(scopes[0] ?? '')) {
    refuse(notes, field, `With client_credentials Entra takes exactly one scope, <resource>/.default (AADSTS1002012): set scopes to ${example}.`)
  } else {
    judgeResourceOfScope(notes, scopes[0] ?? '')
  }
}

function judgeResourceOfScope (notes: Notes, scope: string): void {
  const { content: { resourceAppId }, warnings } = notes
  const [, resource = ''] = DEFAULT_SCOPE.exec(scope) ?? []
  const named = resource.replace(/^api:\/\//, '').toLowerCase()
  if (resourceAppId === null || !GUID.test(named) || named === resourceAppId.toLowerCase()) return
  if (named === resource.toLowerCase()) {
    refuse(notes, `${CONFIG}.scopes`, `The scope asks for the API ${resource}, resource_app_id is ${resourceAppId}: name the same API in both.`)
  } else {
    warnings.push(`The scope asks for ${resource}, and resource_app_id is ${resourceAppId}: an App ID URI usually has the appId of its own API.`)
  }
}

// Entra: aud of a v1 token is what was asked for, App ID URI or appId; of a v2 token always the appId.
function judgeAudience (notes: Notes): void {
  const { version, content, warnings } = notes
  const { resourceAppId } = content
  const audience = audienceOf(content)
  if (audienceRequiredBy(content) === null) {
    warnings.push('Nothing says which API the tokens are for, so Kong takes tokens that were issued for any API of the tenant: set audience.')
  }
  if (audience === null) return
  if (GUID.test(audience)) {
    if (resourceAppId !== null && audience !== resourceAppId.toLowerCase()) {
      refuse(notes, 'audience', `audience is the API ${audience}, resource_app_id is ${resourceAppId}: name the same API in both.`)
    } else if (version === 1) {
      warnings.push('v1 tokens carry in aud what was asked for: clients have to ask with the appId, not with the App ID URI.')
    }
  } else if (version === 2) {
    refuse(notes, 'audience', `v2 tokens carry the API's appId in aud, never its App ID URI: set audience to ${resourceAppId ?? 'the appId, a GUID'}, or use the v1 issuer and token_version 1.`)
  } else if (resourceAppId !== null && /^api:\/\/[0-9a-f-]{36}$/i.test(audience) && audience.slice(6).toLowerCase() !== resourceAppId.toLowerCase()) {
    warnings.push(`audience is ${audience}, and resource_app_id is ${resourceAppId}: an App ID URI usually has the appId of its own API.`)
  }
  const { audience_required: required } = content.extraConfig
  if (Array.isArray(required) && !required.includes(audience)) warnings.push(`audience_required does not name the audience ${audience}: Kong goes by audience_required.`)
}

function judgeResourceArgument (notes: Notes): void {
  const { version, content, warnings } = notes
  if (version === 2 || !isClientCredentials(content) || resourceArgumentOf(content) !== null) return
  const way = Array.isArray(content.extraConfig.token_post_args_names)
    ? 'add resource to token_post_args_names and the App ID URI of your API to token_post_args_values'
    : 'set audience to the App ID URI of your API'
  warnings.push(`Without a resource the v1 token endpoint gives tokens for the retired Azure AD Graph, which any application of the tenant can get: ${way}.`)
}

// Kong: the first credential that is found decides, and password comes before client_credentials whatever the order of auth_methods.
function judgeMethods ({ content, warnings }: Notes): void {
  if (!isClientCredentials(content) || !content.authMethods.includes('password')) return
  warnings.push('With password beside client_credentials Kong takes Basic credentials for those of a user: take password out of auth_methods.')
}

// Entra: all tenants share the keys of its tokens, so the signature alone does not say which tenant a token is from.
function judgeVerification ({ content: { extraConfig }, warnings }: Notes): void {
  if (extraConfig.verify_signature === false) warnings.push('verify_signature is off: Kong takes a token from anybody who knows a client\'s id.')
  if (extraConfig.verify_claims === false) warnings.push('verify_claims is off: Kong takes tokens that have ended, and those of other tenants.')
}
