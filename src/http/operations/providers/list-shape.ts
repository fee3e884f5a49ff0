// What the list of DCR providers can be filtered and sorted by.
import type { ProviderField, ProviderSortField } from '../../../administration/provider-port.ts'
import { textField, timeField, uuidField, wordField, type ListShape } from '../listing/shape.ts'
import { origins, providerTypes } from './schemas.ts'

export const providerList: ListShape<ProviderField, ProviderSortField> = {
  filters: {
    id: uuidField('id', 'Id of the provider'),
    name: textField('name', 'Name'),
    issuer: textField('issuer', 'Issuer'),
    provider_type: wordField('providerType', 'Type', providerTypes),
    initial_client_id: textField('initialClientId', 'The broker\'s application there'),
    origin: wordField('origin', 'Where it is defined', origins),
    created_at: timeField('createdAt', 'Time of the creation (RFC 3339)'),
    updated_at: timeField('updatedAt', 'Time of the last change (RFC 3339)')
  },
  sorts: {
    created_at: { column: 'createdAt', kind: 'time' },
    updated_at: { column: 'updatedAt', kind: 'time' },
    name: { column: 'name', kind: 'text' },
    issuer: { column: 'issuer', kind: 'text' }
  },
  defaultSort: 'created_at desc',
  hasLabels: true
}
