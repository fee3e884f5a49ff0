// What the list of strategies can be filtered and sorted by.
import type { StrategyField, StrategySortField } from '../../../administration/strategies-port.ts'
import { textField, timeField, uuidField, wordField, type ListShape } from '../listing/shape.ts'

export const strategyList: ListShape<StrategyField, StrategySortField> = {
  filters: {
    id: uuidField('id', 'Id of the strategy'),
    name: textField('name', 'Name'),
    display_name: textField('displayName', 'Display name', { optional: true }),
    strategy_type: wordField('strategyType', 'Type', ['openid_connect', 'key_auth']),
    dcr_provider_id: uuidField('providerId', 'Id of the DCR provider'),
    dcr_provider_name: textField('providerName', 'Name of the DCR provider'),
    dcr_provider_type: textField('providerType', 'Type of the DCR provider'),
    konnect_auth_strategy_id: textField('konnectAuthStrategyId', 'Id of the strategy in Konnect', { optional: true }),
    created_at: timeField('createdAt', 'Time of its making (RFC 3339)'),
    updated_at: timeField('updatedAt', 'Time of the last change (RFC 3339)')
  },
  sorts: {
    created_at: { column: 'createdAt', kind: 'time' },
    updated_at: { column: 'updatedAt', kind: 'time' },
    name: { column: 'name', kind: 'text' }
  },
  defaultSort: 'created_at desc',
  hasLabels: true
}
