// A policy's rules as they are written, over the API and in files: which members there are, what each accepts, and how they become PolicyRules.
import { Type, type TSchema } from 'typebox'
import { Check } from 'typebox/value'
import { defaultRules, type PolicyRules } from '../registration/policy.ts'

const many = 256
const longestDays = 3650

const listOf = (items: TSchema) => Type.Union([Type.Array(items, { maxItems: many, uniqueItems: true }), Type.Null()])
const wordsOf = (words: string[]) => ({ schema: listOf(Type.Enum(words)), accepts: `null, or a list of ${words.join(', ')}` })
const patternsOf = (pattern: string, words: string) => ({ schema: listOf(Type.String({ pattern, maxLength: 255 })), accepts: `null, or a list of ${words}` })
const wholeOrNull = (minimum: number, maximum: number) => ({
  schema: Type.Union([Type.Integer({ minimum, maximum }), Type.Null()]), accepts: `null, or a whole number from ${minimum} to ${maximum}`
})
const yesOrNo = { schema: Type.Boolean(), accepts: 'true or false' }

interface Rule<Name extends keyof PolicyRules = keyof PolicyRules> {
  name: Name
  schema: TSchema
  /** In words. */
  accepts: string
}

/** By their names in the file. */
const rules: Readonly<Record<string, Rule>> = {
  grant_types: {
    name: 'grantTypes',
    ...wordsOf([
      'authorization_code', 'refresh_token', 'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    ])
  },
  token_endpoint_auth_methods: {
    name: 'tokenEndpointAuthMethods', ...wordsOf(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'])
  },
  redirect_hosts: {
    name: 'redirectHosts',
    ...patternsOf('^(\\*\\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$|^\\[[0-9a-f:.]+\\]$', 'hosts in lower case such as claude.ai, *.example.com, localhost')
  },
  redirect_schemes: {
    name: 'redirectSchemes', ...patternsOf('^[a-z][a-z0-9+-]*(\\.[a-z0-9+-]+)*(\\.\\*)?$', 'schemes in lower case such as cursor, com.example.*')
  },
  max_redirect_uris: { name: 'maxRedirectUris', schema: Type.Integer({ minimum: 1, maximum: many }), accepts: `a whole number from 1 to ${many}` },
  // RFC 6749 §3.3
  scopes: { name: 'scopes', ...patternsOf('^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$', 'scope names without spaces') },
  max_clients: { name: 'maxClients', ...wholeOrNull(0, 1_000_000) },
  secret_lifetime_days: { name: 'secretLifetimeDays', ...wholeOrNull(1, longestDays) },
  name_template: {
    name: 'nameTemplate',
    schema: Type.Union([Type.String({ pattern: '^([^{}\\u0000-\\u001f\\u007f]|\\{client_name\\})+$', maxLength: 120 }), Type.Null()]),
    accepts: 'null, or at most 120 characters in which {client_name} stands for the registered name'
  },
  disclose_secret: { name: 'discloseSecret', ...yesOrNo },
  rotate_management_token: { name: 'rotateManagementToken', ...yesOrNo },
  share_public_clients: { name: 'sharePublicClients', ...yesOrNo },
  expiry: {
    name: 'expiry',
    schema: Type.Union([
      Type.Object({
        after_days: Type.Integer({ minimum: 1, maximum: longestDays }),
        counted_from: Type.Enum(['registration', 'use']),
        grace_days: Type.Integer({ minimum: 0, maximum: longestDays })
      }, { additionalProperties: false }),
      Type.Null()
    ]),
    accepts: `null, or an object with after_days (1 to ${longestDays}), counted_from (registration, use) and grace_days (0 to ${longestDays})`
  }
}

/** Schema of each rule by its name in the document, described by what it accepts. */
export const ruleSchemas: Readonly<Record<string, TSchema>> = Object.fromEntries(Object.entries(rules).map(([member, { schema, accepts }]) =>
  [member, { ...schema, description: `${accepts.charAt(0).toUpperCase()}${accepts.slice(1)}.` }]))

/** The rules that a document gives, or everything that is wrong with it: the member (empty: the whole) and a sentence each. */
export function rulesOf (document: unknown): { given: Partial<PolicyRules> } | { faults: Array<{ field: string, reason: string }> } {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return { faults: [{ field: '', reason: 'A policy is a JSON object of rules.' }] }
  const faults: Array<{ field: string, reason: string }> = []
  const given: Partial<Record<keyof PolicyRules, unknown>> = {}
  for (const [member, value] of Object.entries(document)) {
    const rule = Object.hasOwn(rules, member) ? rules[member] : undefined
    if (rule === undefined) faults.push({ field: member, reason: `${member} is no rule of a policy. Known: ${Object.keys(rules).join(', ')}.` })
    else if (!Check(rule.schema, value)) faults.push({ field: member, reason: `${member} is not acceptable. Accepted: ${rule.accepts}.` })
    else given[rule.name] = rule.name === 'expiry' ? expiryOf(value) : value
  }
  return faults.length > 0 ? { faults } : { given: given as Partial<PolicyRules> }
}

/** All rules as a document that `rulesOf` reads back. */
export function documentOfRules (all: PolicyRules = defaultRules): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rules).map(([member, { name }]) => {
    const value = all[name]
    if (name !== 'expiry' || all.expiry === null) return [member, value]
    return [member, { after_days: all.expiry.afterDays, counted_from: all.expiry.countedFrom, grace_days: all.expiry.graceDays }]
  }))
}

function expiryOf (value: unknown): unknown {
  if (value === null) return null
  const { after_days: afterDays, counted_from: countedFrom, grace_days: graceDays } = value as Record<string, unknown>
  return { afterDays, countedFrom, graceDays }
}
