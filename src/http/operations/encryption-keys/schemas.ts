// Key-encryption keys on the wire of the operations API. Never their material, which is in the keyring files only.
import Type, { type Static } from 'typebox'
import type { EncryptionKeyState } from '../../../administration/encryption-keys-port.ts'
import { nullable, ref } from '../../plugins/openapi.ts'
import { namesOf, text, texts, time, uuid, word } from '../schemas.ts'

const states = namesOf<EncryptionKeyState>({ known: true, active: true, retired: true })

const olderKey = {
  kid: '2026-05',
  state: 'known',
  in_keyring: true,
  missing_on: [],
  sealed_values: 120,
  created_at: '2026-05-04T07:00:00.000Z',
  activated_at: '2026-05-04T07:10:00.000Z',
  replaced_at: '2026-11-26T06:30:00.000Z',
  retired_at: null
}

const activeKey = {
  ...olderKey, kid: '2026-11', state: 'active', sealed_values: 380, created_at: '2026-11-26T06:00:00.000Z', activated_at: olderKey.replaced_at, replaced_at: null
}

const replica = {
  id: '7d2e4b9c-0a61-4f83-b5c7-3e8f1a6d9b20',
  version: '0.1.0',
  kids: [olderKey.kid, activeKey.kid],
  active_kid: activeKey.kid,
  started_at: '2026-11-26T06:00:00.000Z',
  seen_at: '2026-11-26T09:00:00.000Z'
}

export const EncryptionKeyView = Type.Object({
  kid: text('Name of the key in the keyring file.'),
  state: word(states, '`known`: opens what it has sealed. `active`: new secrets are sealed under it; none is active until the first was activated, and each replica seals under the key its file names. `retired`: nothing is sealed under it.'),
  in_keyring: Type.Boolean({ description: 'Whether the replica that answers can use it.' }),
  missing_on: texts('Ids of live replicas that can\'t use it.'),
  sealed_values: Type.Integer({ description: 'Values sealed under it.' }),
  created_at: time('When the database first heard of it.'),
  activated_at: nullable(time('When it was last activated.')),
  replaced_at: nullable(time('When another key took its place.')),
  retired_at: nullable(time('When it was retired.'))
}, { $id: 'EncryptionKey', description: 'A key-encryption key of the keyring files.', examples: [olderKey, activeKey] })

export const ReplicaView = Type.Object({
  id: uuid('Id of the process.'),
  version: text('Release it runs.'),
  kids: texts('Keys it can use.'),
  active_kid: text('Key it seals under; empty: none.'),
  started_at: time('When it first reported itself.'),
  seen_at: time('When it last did.')
}, { $id: 'Replica', description: 'A process of the broker that has reported itself within the last 30 seconds.' })

export const EncryptionKeyList = Type.Object({
  data: Type.Array(ref(EncryptionKeyView), { description: 'Oldest first.' }),
  meta: Type.Object({
    page: Type.Object({ size: Type.Integer(), number: Type.Integer(), total: Type.Integer(), next: Type.Null() }, { description: 'There is one page.' }),
    rewrap: Type.Object({
      remaining: Type.Integer({ description: 'Sealed values that are not under the active key.' }),
      total: Type.Integer({ description: 'Sealed values in all.' })
    }),
    replicas: Type.Array(ref(ReplicaView))
  })
}, {
  $id: 'EncryptionKeyList',
  description: 'All keys, the live replicas, and how far the rewrap is.',
  examples: [{
    data: [olderKey, activeKey],
    meta: { page: { size: 2, number: 1, total: 2, next: null }, rewrap: { remaining: 120, total: 500 }, replicas: [replica] }
  }]
})

export const RewrapView = Type.Object({
  kid: text('The active key, under which everything is brought.'),
  rewrapped: Type.Integer({ description: 'Values that this request has brought under it.' }),
  failed: Type.Integer({ description: 'Values that do not open and stay as they are.' }),
  failures: Type.Array(Type.Object({ table: text('Table of the value.'), id: uuid('Id of its row.') }), { description: 'The first twenty of them.' }),
  remaining: Type.Integer({ description: 'Values that are left. Repeat the request while it rewraps any.' }),
  total: Type.Integer({ description: 'Sealed values in all.' })
}, {
  $id: 'Rewrap',
  description: 'What a request of the rewrap has done.',
  examples: [{ kid: activeKey.kid, rewrapped: 120, failed: 0, failures: [], remaining: 0, total: 500 }]
})

/** Components of the document, referred to by name. */
export const encryptionKeyComponents = [EncryptionKeyView, ReplicaView, EncryptionKeyList, RewrapView]

export type EncryptionKeyBody = Static<typeof EncryptionKeyView>
export type EncryptionKeyListBody = Static<typeof EncryptionKeyList>
export type RewrapBody = Static<typeof RewrapView>
