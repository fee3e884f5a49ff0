// The core over its adapters: the use cases that surfaces and loops call. Part of the composition root.
import { coreSettings, reconciliationSettings } from './core-settings.ts'
import { createIdempotentRequests, type IdempotentRequests } from './idempotency/idempotent-requests.ts'
import type { Observation } from './observation.ts'
import { createReconciler, type Reconciler } from './reconciliation/reconciler.ts'
import type { Clock, Directories, Log, Ports, Vault } from './registration/ports.ts'
import { createRegistrar, type Registrar } from './registration/registrar.ts'
import { createTraffic, type Traffic } from './registration/traffic/traffic.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import { createAdoptionStore } from './store/adoption-store.ts'
import type { StoredCatalogue } from './store/catalogue.ts'
import { createDeliveryStore } from './store/delivery-store.ts'
import { createExpiryStore } from './store/expiry-store.ts'
import { createIdempotencyStore } from './store/idempotency-store.ts'
import { createIdleClients } from './store/idle-clients.ts'
import type { Database } from './store/prisma-client.ts'
import { createHoldStore, createReconciliationDesk } from './store/reconciliation-desk.ts'
import { createReconciliationStore } from './store/reconciliation-store.ts'
import { createRegistrationStore } from './store/registration-store.ts'
import { createTrafficStore } from './store/traffic-store.ts'

export interface CoreParts {
  settings: CompleteSettings
  database: Pick<Database, 'prisma' | 'run'>
  directories: Directories
  catalogue: StoredCatalogue
  vault: Vault
  clock: Clock
  log: Log
  observation: Observation
}

export interface AssembledCore {
  registrar: Registrar
  reconciler: Reconciler
  traffic: Traffic
  idempotentRequests: IdempotentRequests
}

export function assembleCore ({ settings, database, directories, catalogue, vault, clock, log, observation }: CoreParts): AssembledCore {
  const { limits: { leaseMs, attemptTimeoutMs, redeliveryWindowMs }, entra } = settings
  const times = { leaseMs, attemptTimeoutMs, redeliveryWindowMs }
  const { prisma } = database
  const ports: Ports = {
    store: observation.spanned('database', {
      ...createRegistrationStore(database, times, clock.monotonicMs),
      ...createDeliveryStore(prisma, times),
      ...createExpiryStore(prisma, times),
      ...createAdoptionStore(prisma),
      ...createTrafficStore(prisma, entra.traffic),
      ...createHoldStore(prisma)
    }),
    directories,
    catalogue,
    vault,
    clock,
    log,
    correlation: observation.correlation
  }
  const traffic = createTraffic(ports.store, clock, log, entra.traffic)
  const numbers = coreSettings(settings)
  return {
    traffic,
    registrar: createRegistrar(ports, numbers, traffic),
    reconciler: createReconciler({
      tools: { ports, settings: numbers, traffic },
      store: { ...createReconciliationStore(prisma), ...createReconciliationDesk(prisma), ...createIdleClients(prisma, times) },
      settings: reconciliationSettings(settings),
      providers: catalogue.providers
    }),
    idempotentRequests: createIdempotentRequests({ store: createIdempotencyStore(prisma), deliveries: ports.store, vault, clock, log })
  }
}
