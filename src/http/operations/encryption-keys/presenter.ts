// Keys -> the wire. Names what is shown: nothing else leaves.
import type { Replica } from '../../../administration/encryption-keys-port.ts'
import type { ShownKey, ShownKeys } from '../../../administration/encryption-keys.ts'
import type { RewrapProgress } from '../../../administration/rewrap.ts'
import type { EncryptionKeyBody, EncryptionKeyListBody, RewrapBody } from './schemas.ts'

export function presentKey (key: ShownKey): EncryptionKeyBody {
  return {
    kid: key.kid,
    state: key.state,
    in_keyring: key.inKeyring === true,
    missing_on: key.missingOn,
    sealed_values: key.sealedValues,
    created_at: key.createdAt.toISOString(),
    activated_at: key.activatedAt?.toISOString() ?? null,
    replaced_at: key.replacedAt?.toISOString() ?? null,
    retired_at: key.retiredAt?.toISOString() ?? null
  }
}

export function presentKeys ({ keys, replicas, remaining, total }: ShownKeys): EncryptionKeyListBody {
  return {
    data: keys.map(presentKey),
    meta: {
      page: { size: keys.length, number: 1, total: keys.length, next: null },
      rewrap: { remaining, total },
      replicas: replicas.map(presentReplica)
    }
  }
}

export function presentRewrap ({ kid, rewrapped, failed, failures, remaining, total }: RewrapProgress): RewrapBody {
  return { kid, rewrapped, failed, failures: failures.map(({ table, rowId }) => ({ table, id: rowId })), remaining, total }
}

function presentReplica (replica: Replica): EncryptionKeyListBody['meta']['replicas'][number] {
  return {
    id: replica.id,
    version: replica.version,
    kids: replica.kids,
    active_kid: replica.activeKid,
    started_at: replica.startedAt.toISOString(),
    seen_at: replica.seenAt.toISOString()
  }
}
