// Adoption on the wire of the operations API.
import Type, { type Static } from 'typebox'
import { example } from '../../example-values.ts'
import { nullable } from '../../plugins/openapi.ts'
import { pageSchema } from '../listing/pages.ts'
import { text, time, uuid } from '../schemas.ts'

/** appId of an application that was there before the broker. */
const olderClientId = '0c9a4f6e-5b2d-4e17-8a3c-6d1f9b7e2c50'
const exampleSetting = { provider: example.providerName, enabled: true }

export const AdoptionPermitView = Type.Object({
  id: uuid('Id of the permit.'),
  provider: text('Name of the provider, that is of the Entra tenant.'),
  client_id: uuid('appId of the application.'),
  provider_enabled: Type.Boolean({ description: 'Whether the provider allows adoption at all; false: the permit has no effect.' }),
  created_by: text('Id of the caller who made it.'),
  created_at: time('When it was made.'),
  used_at: nullable(time('When the application was adopted.'))
}, {
  $id: 'AdoptionPermit',
  description: 'An existing Entra application that may come into the broker\'s care.',
  examples: [{
    id: '01a2174c-3500-7e50-9a2b-7c4d6f8e0a13',
    provider: example.providerName,
    client_id: olderClientId,
    provider_enabled: true,
    created_by: example.operatorId,
    created_at: '2026-11-26T10:00:00.000Z',
    used_at: null
  }]
})

export const AdoptionPermitList = pageSchema(AdoptionPermitView, 'AdoptionPermitList', 'permits')

export const NewAdoptionPermit = Type.Object({
  provider: Type.Optional(Type.String({ minLength: 1, maxLength: 255, default: 'default', description: 'Name of the provider.' })),
  client_id: uuid('appId of the application.')
}, { $id: 'NewAdoptionPermit', additionalProperties: false, examples: [{ provider: example.providerName, client_id: olderClientId }] })

export const AdoptionSettingView = Type.Object({
  provider: text('Name of the provider.'),
  enabled: Type.Boolean({ description: 'Whether applications with a permit may be adopted.' })
}, {
  $id: 'AdoptionSetting',
  description: 'Whether a provider allows adoption. It does not until somebody says so.',
  examples: [exampleSetting]
})

export const AdoptionSettingChange = Type.Object({
  enabled: Type.Boolean({ description: 'false: nothing more is adopted; what is adopted stays.' })
}, { $id: 'AdoptionSettingChange', additionalProperties: false, examples: [{ enabled: true }] })

/** Components of the document, referred to by name. */
export const adoptionComponents = [AdoptionPermitView, AdoptionPermitList, NewAdoptionPermit, AdoptionSettingView, AdoptionSettingChange]

export type AdoptionPermitBody = Static<typeof AdoptionPermitView>
