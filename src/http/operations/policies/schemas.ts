// Policies on the wire of the operations API.
import Type, { type Static } from 'typebox'
import { POLICY_NAME } from '../../../administration/policies.ts'
import { documentOfRules, ruleSchemas } from '../../../administration/policy-document.ts'
import { defaultRules } from '../../../registration/policy.ts'
import { example } from '../../example-values.ts'
import { ref } from '../../plugins/openapi.ts'
import { NewClient } from '../../register/schemas.ts'
import { pageSchema } from '../listing/pages.ts'
import { text, time, uuid } from '../schemas.ts'

/** All are optional: what a document leaves out is decided by the operation. */
export const PolicyRulesView = Type.Object(Object.fromEntries(Object.entries(ruleSchemas).map(([member, schema]) => [member, Type.Optional(schema)])), {
  additionalProperties: false, $id: 'PolicyRules', description: 'Rules of a policy: docs/registration.md says what each does.'
})

/** As far as PostgreSQL's integer goes. */
const MAX_VERSION = 2 ** 31 - 1
const version = Type.Integer({ minimum: 1, maximum: MAX_VERSION, description: 'Counts up with every change.' })
const seen = Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_VERSION, description: 'The version you have seen: 409 when there is a newer one. Or say it in If-Match: then it is 412.' }))
const exampleRules = { max_clients: 50, redirect_hosts: ['*.partner.example', 'localhost'] }
const examples = [{ rules: exampleRules, version: 3 }]
/** Every rule: those of the release too. */
const allExampleRules = { ...documentOfRules(defaultRules), ...exampleRules }

export const NewPolicy = Type.Object({
  name: Type.String({ pattern: POLICY_NAME, description: 'Lower-case letters, digits, dots, dashes and underscores; it stays.' }),
  rules: Type.Optional(ref(PolicyRulesView))
}, { additionalProperties: false, $id: 'NewPolicy', description: 'Rules that are left out are the release\'s.', examples: [{ name: example.policyName, rules: { max_clients: 50 } }] })

export const PolicyReplacement = Type.Object({ rules: ref(PolicyRulesView), version: seen }, {
  additionalProperties: false, $id: 'PolicyReplacement', description: 'New rules.', examples
})

export const PolicyRollback = Type.Object({
  to: Type.Integer({ minimum: 1, maximum: MAX_VERSION, description: 'The version whose rules are put back.' }), version: seen
}, { additionalProperties: false, $id: 'PolicyRollback', description: 'Which rules to put back.', examples: [{ to: 2 }] })

export const PolicyView = Type.Object({
  id: uuid('Id of the policy.'),
  name: text('Its name, by which callers are bound to it.'),
  version,
  rules: ref(PolicyRulesView),
  callers: Type.Integer({ description: 'Living callers that are bound to it; for an operator of one provider those of that provider.' }),
  registrations: Type.Integer({ description: 'Registrations under it that have not ended; for an operator of one provider those of that provider.' }),
  created_at: time('When it was made.'),
  updated_at: time('When the newest version was made.')
}, {
  $id: 'Policy',
  description: 'What callers of RFC 7591 may register, with every rule.',
  examples: [{
    id: '01a211e1-2ee0-7c30-8d21-4f6a8c0e2b57',
    name: example.policyName,
    version: 3,
    rules: allExampleRules,
    callers: 1,
    registrations: 0,
    created_at: example.setUpAt,
    updated_at: '2026-11-25T09:00:00.000Z'
  }]
})

const exampleVersion = { version: 3, rules: allExampleRules, created_by: example.operatorId, created_at: '2026-11-25T09:00:00.000Z' }

export const PolicyVersionView = Type.Object({
  version,
  rules: ref(PolicyRulesView),
  created_by: text('Who made it, as in the audit.'),
  created_at: time('When it was made.')
}, { $id: 'PolicyVersion', description: 'The rules that a policy had.', examples: [exampleVersion] })

export const PolicyVersionList = Type.Object({
  data: Type.Array(ref(PolicyVersionView), { description: 'The newest first, at most 1,000.' })
}, {
  $id: 'PolicyVersionList',
  description: 'The versions of a policy.',
  examples: [{
    data: [
      exampleVersion,
      { ...exampleVersion, version: 2, rules: { ...allExampleRules, redirect_hosts: ['*.partner.example'] }, created_at: '2026-11-25T08:45:00.000Z' },
      { ...exampleVersion, version: 1, rules: { ...allExampleRules, redirect_hosts: null }, created_at: example.setUpAt }
    ]
  }]
})

export const PolicyList = pageSchema(PolicyView, 'PolicyList', 'policies')

export const UnstoredDryRun = Type.Object({ rules: ref(PolicyRulesView), document: ref(NewClient) }, {
  additionalProperties: false,
  $id: 'UnstoredDryRun',
  description: 'Rules that are not stored, and a registration.',
  examples: [{
    rules: { token_endpoint_auth_methods: ['none'] },
    document: { client_name: 'Editor', redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' }
  }]
})

const Access = Type.Object({
  resourceAppId: text('The resource application.'),
  permissions: Type.Array(Type.Object({ id: text('Id of the permission.'), type: text('Scope (delegated) or Role.') }))
})

export const DryRunView = Type.Object({
  policy: text('Name of the policy.'),
  provider: text('Name of the provider.'),
  accepted: Type.Boolean({ description: 'The registration would be made, quotas aside.' }),
  refusals: Type.Array(Type.Object({ error: text('Code of RFC 7591.'), error_description: text('What would be accepted.') }), {
    description: 'Every refusal, where the registration would name the first.'
  }),
  registered: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'The document as it would be registered.' })),
  entra: Type.Optional(Type.Object({
    displayName: text('Display name.'),
    platforms: Type.Object({ web: Type.Array(Type.String()), publicClient: Type.Array(Type.String()), spa: Type.Array(Type.String()) }),
    requiredResourceAccess: Type.Array(Access),
    grantedAccess: Type.Array(Access, { description: 'What the broker would grant for the whole tenant.' })
  }, { additionalProperties: true, description: 'What would be written to Entra, in Graph\'s names.' }))
}, {
  $id: 'PolicyDryRun',
  description: 'What a registration would become. Nothing was made.',
  examples: [
    {
      policy: example.policyName,
      registered: {
        client_name: 'Partner portal',
        redirect_uris: ['https://portal.partner.example/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic'
      },
      entra: {
        displayName: 'Partner portal',
        platforms: { web: ['https://portal.partner.example/callback'], publicClient: [], spa: [] },
        requiredResourceAccess: [],
        grantedAccess: []
      },
      provider: example.providerName,
      accepted: true,
      refusals: []
    },
    {
      policy: example.policyName,
      provider: example.providerName,
      accepted: false,
      refusals: [{
        error: 'invalid_redirect_uri',
        error_description: 'redirect_uris[0] is on the host \'orders.example.com\'; the policy accepts *.partner.example, localhost.'
      }]
    }
  ]
})

/** Components of the document, referred to by name. */
export const policyComponents = [
  PolicyRulesView, NewPolicy, PolicyReplacement, PolicyRollback, PolicyView, PolicyVersionView, PolicyVersionList, PolicyList, NewClient, UnstoredDryRun,
  DryRunView
]

export type PolicyViewBody = Static<typeof PolicyView>
