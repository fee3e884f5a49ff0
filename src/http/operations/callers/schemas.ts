// Callers on the wire of the operations API: one source of validation, answers, types and the document.
import Type, { type Static } from 'typebox'
import { mintedKinds } from '../../../administration/caller-rules.ts'
import type { CallerOrigin, MintedKind, Scope } from '../../../administration/callers-port.ts'
import type { CallerKind } from '../../../registration/registration.ts'
import { example } from '../../example-values.ts'
import { nullable, ref } from '../../plugins/openapi.ts'
import { pageSchema } from '../listing/pages.ts'
import { namesOf, text, time, uuid, word } from '../schemas.ts'

export const kinds = namesOf<Exclude<CallerKind, 'registered_client'>>({ konnect: true, service: true, operator: true, gateway: true, initial_access_token: true, anonymous: true })
export const origins = namesOf<CallerOrigin>({ environment: true, database: true, broker: true })
const scopes = namesOf<Scope>({ register: true, read: true, rotate: true, delete: true, admin: true, audit: true, introspect: true })
const states = namesOf<CallerState>({ living: true, expired: true, revoked: true })

export type CallerState = 'living' | 'expired' | 'revoked'

const MOST_REGISTRATIONS = 1_000_000
const LONGEST_LIFE_DAYS = 3650

const name = Type.String({ minLength: 1, maxLength: 120, description: 'What the caller is called; no other living one is called so.' })
const scopeList = Type.Array(word(scopes, 'A scope.'), { maxItems: scopes.length, description: 'What it may do. An operator gives no scope that he does not have himself, but for register, and introspect to gateways.' })
const policy = nullable(Type.String({ minLength: 1, maxLength: 120, description: 'Name of the policy under which it registers; null: default.' }))
const maxRegistrations = nullable(Type.Integer({ minimum: 1, maximum: MOST_REGISTRATIONS, description: 'Most registrations it may ever make; null: no limit.' }))
const expiresAt = nullable(time('Its end; null: never.'))

const callerMembers = {
  id: uuid('Id of the caller: the actor of what it does, in the audit.'),
  kind: word(kinds, 'Which surface it calls. anonymous: open registration, whom no key opens.'),
  name: text('What the caller is called.'),
  origin: word(origins, 'environment: a setting defines it. database: an operator has made it. broker: it shows a token of Entra, or none.'),
  state: word(states, 'Whether it may call.'),
  provider: nullable(Type.String({ description: 'Name of the provider that it is bound to; null: none.' })),
  scopes: Type.Array(Type.String(), { description: 'What it may do. Of an operator with a token of Entra: at most; the roles of the token decide.' }),
  policy: nullable(Type.String({ description: 'Name of its policy; null: default.' })),
  max_registrations: nullable(Type.Integer({ description: 'Most registrations it may ever make; null: no limit.' })),
  registrations: Type.Integer({ description: 'Registrations ever made by it.' }),
  created_at: time('When it was made, or first seen.'),
  expires_at: nullable(time('Its end; null: never.')),
  revoked_at: nullable(time('When it was revoked; null: it was not.')),
  last_used_at: nullable(time('Its last request, to the minute; null: none yet.'))
}

const portal = {
  id: example.portalCallerId,
  kind: 'konnect',
  name: 'portal',
  origin: 'database',
  state: 'living',
  provider: example.providerName,
  scopes: ['register', 'read', 'rotate', 'delete'],
  policy: null,
  max_registrations: null,
  registrations: 1,
  created_at: example.setUpAt,
  expires_at: null,
  revoked_at: null,
  last_used_at: example.registeredAt
}

const partners = {
  ...portal,
  id: '01a211ea-56a0-7e50-9a2b-7c4d6f8e0a13',
  kind: 'initial_access_token',
  name: 'partners, winter',
  scopes: ['register'],
  policy: example.policyName,
  max_registrations: 10,
  registrations: 0,
  expires_at: '2027-02-23T08:30:00.000Z',
  last_used_at: null
}

export const CallerView = Type.Object(callerMembers, {
  $id: 'Caller', description: 'A key, token or identity that may call, or might once. Never with its key.', examples: [partners, portal]
})

export const CreatedCaller = Type.Object({
  ...callerMembers,
  token: Type.String({ 'x-secret': true, description: 'The key. It is in this answer and its repetitions under one Idempotency-Key, and nowhere else: the broker keeps its digest.' })
}, {
  $id: 'CreatedCaller',
  description: 'A new caller with its key.',
  examples: [{ ...portal, registrations: 0, last_used_at: null, token: example.key }]
})

export const CallerList = pageSchema(CallerView, 'CallerList', 'callers')

export const NewCallerBody = Type.Object({
  kind: word<MintedKind>(mintedKinds, 'konnect: X-API-KEY of a Konnect DCR provider. service: an internal service. operator: the operations API. gateway: the gateway listener. initial_access_token: POST /register.'),
  name,
  provider: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 120, description: 'Name of the provider it belongs to. Needed but for an operator, who without one is an operator of all.' }))),
  scopes: Type.Optional(scopeList),
  policy: Type.Optional(policy),
  max_registrations: Type.Optional(maxRegistrations),
  expires_at: Type.Optional(expiresAt),
  expires_in_days: Type.Optional(Type.Integer({ minimum: 1, maximum: LONGEST_LIFE_DAYS, description: 'Its end, from now. Instead of expires_at.' }))
}, {
  $id: 'NewCaller',
  additionalProperties: false,
  description: 'A caller to make.',
  examples: [
    { kind: 'konnect', name: portal.name, provider: portal.provider, scopes: portal.scopes },
    { kind: 'initial_access_token', name: partners.name, provider: partners.provider, policy: partners.policy, max_registrations: 10, expires_in_days: 90 }
  ]
})

export const CallerChangesBody = Type.Object({
  name: Type.Optional(name),
  scopes: Type.Optional(scopeList),
  policy: Type.Optional(policy),
  max_registrations: Type.Optional(maxRegistrations),
  expires_at: Type.Optional(expiresAt)
}, {
  $id: 'CallerChanges',
  additionalProperties: false,
  minProperties: 1,
  description: 'What to change; what is left out stays.',
  examples: [{ max_registrations: 20, expires_at: '2027-05-31T00:00:00.000Z' }, { scopes: ['register', 'read'] }]
})

/** Components of the document, referred to by name. */
export const callerComponents = [CallerView, CreatedCaller, CallerList, NewCallerBody, CallerChangesBody]

export const newCallerRef = ref(NewCallerBody)
export const callerChangesRef = ref(CallerChangesBody)

export type CallerBody = Static<typeof CallerView>
export type NewCallerBodyType = Static<typeof NewCallerBody>
export type CallerChangesBodyType = Static<typeof CallerChangesBody>
