// The registration store on a database of its own, with what its rows refer to.
import type { Test } from 'tap'
import type { DeliveryStore, ExpiryStore, Held, RegistrationStore } from '../../src/registration/ports.ts'
import type { NewRegistration } from '../../src/registration/registration.ts'
import { bootstrap } from '../../src/store/bootstrap.ts'
import { createDeliveryStore } from '../../src/store/delivery-store.ts'
import { createExpiryStore } from '../../src/store/expiry-store.ts'
import { openDatabase, type PrismaClient } from '../../src/store/prisma-client.ts'
import { createRegistrationStore } from '../../src/store/registration-store.ts'
import type { RunStatement } from '../../src/store/statements.ts'
import { systemClock } from '../../src/system-clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { someNewRegistration } from '../support/records.ts'

export type Store = RegistrationStore & DeliveryStore & ExpiryStore

export interface OpenStore {
  store: Store
  database: TestDatabase
  callerId: string
  prisma: PrismaClient
  run: RunStatement
  /** Whether a registration with this fingerprint is open. */
  isOpen: (fingerprint: string) => Promise<boolean>
  /** A registration that nobody has reserved yet. */
  entry: (changes?: Partial<NewRegistration>) => NewRegistration
  /** Reserves one and resolves with its lease. */
  reserve: (changes?: Partial<NewRegistration>) => Promise<Held>
}

/** A lease outlasts its test; whoever waits for its end gives a shorter one. */
export const TIMES = { leaseMs: 60_000, attemptTimeoutMs: 500, redeliveryWindowMs: 60_000 }

export async function openStore (t: Test, times: Partial<typeof TIMES> = {}): Promise<OpenStore> {
  const database = await createTestDatabase(t)
  const { prisma, run, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  const tenantId = '01a20951-0000-4000-8000-000000000001'
  const { providerId, callerIds: [callerId] } = await bootstrap(run,
    { tenantId, initialClientId: tenantId, issuer: `https://sts.windows.net/${tenantId}/` },
    [{ kind: 'konnect', name: 'of the test', scopes: [], boundToProvider: true, digests: [{ pepperId: 'p1', digest: new Uint8Array(32) }] }])
  if (callerId === undefined || callerId === null) throw new Error('There is no caller')
  const { id: strategyId } = await prisma.authStrategy.findFirstOrThrow()
  const all = { ...TIMES, ...times }
  const store = {
    ...createRegistrationStore({ prisma, run }, all, systemClock.monotonicMs),
    ...createDeliveryStore(prisma, all),
    ...createExpiryStore(prisma, all)
  }

  const entry = (changes: Partial<NewRegistration> = {}): NewRegistration => someNewRegistration(
    { id: systemClock.uuid(), providerId, strategyId, callerId, credentialId: systemClock.uuid(), createdAt: systemClock.now() }, changes)
  return {
    store,
    database,
    callerId,
    prisma,
    run,
    entry,
    async isOpen (fingerprint) {
      const { rows } = await database.query('SELECT FROM registration WHERE caller_id = $1 AND open_fingerprint = $2 AND delivered_at IS NULL', [callerId, fingerprint])
      return rows.length === 1
    },
    async reserve (changes) {
      const reservation = await store.reserve(entry(changes), [])
      if (reservation.kind !== 'reserved') throw new Error('The registration could not be reserved')
      return reservation.held
    }
  }
}
