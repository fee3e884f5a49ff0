// Adoption on the wire of the operations API.
import Type, { type Static } from 'typebox'
import { nullable } from '../../plugins/openapi.ts'
import { pageSchema } from '../listing/pages.ts'
import { text, time, uuid } from '../schemas.ts'

export const AdoptionPermitView = Type.Object({
  id: uuid('Id of the permit.'),
  provider: text('Name of the provider, that is of the Entra tenant.'),
  client_id: uuid('appId of the application.'),
  provider_enabled: Type.Boolean({ description: 'Whether the provider allows adoption at all; false: the permit has no effect.' }),
  created_by: text('Id of the caller who made it.'),
  created_at: time('When it was made.'),
  used_at: nullable(time('When the application was adopted.'))
}, { $id: 'AdoptionPermit', description: 'An existing Entra application that may come into the broker\'s care.' })

export const AdoptionPermitList = pageSchema(AdoptionPermitView, 'AdoptionPermitList', 'permits')

export const NewAdoptionPermit = Type.Object({
  provider: Type.Optional(Type.String({ minLength: 1, maxLength: 255, default: 'default', description: 'Name of the provider.' })),
  client_id: uuid('appId of the application.')
}, { $id: 'NewAdoptionPermit', additionalProperties: false })

export const AdoptionSettingView = Type.Object({
  provider: text('Name of the provider.'),
  enabled: Type.Boolean({ description: 'Whether applications with a permit may be adopted.' })
}, { $id: 'AdoptionSetting', description: 'Whether a provider allows adoption. It does not until somebody says so.' })

export const AdoptionSettingChange = Type.Object({
  enabled: Type.Boolean({ description: 'false: nothing more is adopted; what is adopted stays.' })
}, { $id: 'AdoptionSettingChange', additionalProperties: false })

/** Components of the document, referred to by name. */
export const adoptionComponents = [AdoptionPermitView, AdoptionPermitList, NewAdoptionPermit, AdoptionSettingView, AdoptionSettingChange]

export type AdoptionPermitBody = Static<typeof AdoptionPermitView>
