// Who is refused by what is kept, with a database that knows better.
import t from 'tap'
import { createClientJudge } from '../../src/gateway/client-judge.ts'
import { createFailedClients } from '../../src/gateway/failed-clients.ts'
import { createKnownClients } from '../../src/gateway/known-clients.ts'
import type { GatewayStrategy } from '../../src/gateway/port.ts'
import { someGatewayClient } from '../support/records.ts'

const CLIENT = '7c1b5a0e-3f62-4d0c-9a1e-2b8f4c6d7e90'

t.test('a secret that was made a moment ago is accepted at once, also while somebody shows too many wrong ones', async t => {
  const clock = { nowMs: 1_000, monotonicMs: () => clock.nowMs, alarm: () => () => {} }
  // What the client is called stands for the secret it has.
  const record = someGatewayClient({ clientId: CLIENT, clientName: 'old' })
  const store = { findClients: async () => [{ ...record }], changesSince: async () => ({ upTo: '1', clientIds: [] }) }
  const failures = createFailedClients({ perMinute: 2, monotonicMs: clock.monotonicMs, onExceeded: () => {} })
  const judge = createClientJudge({ clients: createKnownClients(store, clock), failures, clock })
  const isAccepted = async (secret: string) => (await judge(CLIENT, { providerId: null, products: [] }, async client =>
    client.clientName === secret ? { client, strategy: {} as GatewayStrategy, token: null } : 'wrong_secret')).accepted !== null
  for (let time = 0; time < 45; time++) {
    t.equal(await isAccepted('wrong'), false)
    clock.nowMs += 10
  }
  record.clientName = 'new'
  clock.nowMs += 10
  t.equal(await isAccepted('new'), true)
})
