// What a replica does by itself, again and again, whoever else does it too.
import { CHECKPOINT_MESSAGE } from './administration/audit-checkpoint.ts'
import type { AuditSealer } from './administration/audit-sealer.ts'
import type { KeyWatch } from './administration/key-watch.ts'
import type { GatewayStore } from './gateway/port.ts'
import { USES_FLUSH_MS, type Uses } from './gateway/uses.ts'
import type { IdempotentRequests } from './idempotency/idempotent-requests.ts'
import { startLoop, type Loop } from './jobs/loop.ts'
import type { Log } from './registration/ports.ts'
import type { Reconciler } from './reconciliation/reconciler.ts'
import type { Registrar } from './registration/registrar.ts'
import type { Traffic } from './registration/traffic/traffic.ts'
import type { Limits } from './settings/settings.ts'
import type { StoredCatalogue } from './store/catalogue.ts'

/** With the loop's jitter and the statement itself a change of a provider, policy, scope or caller counts on every replica within a second. */
const CATALOGUE_MS = 700
/** A tenant that asked one replica to stay away is left alone by the others after this time. */
const TRAFFIC_MS = 500
/** How often a replica reports its keys and follows the database's word which is active. */
const KEY_WATCH_MS = 3_000
const CHECKPOINT_MS = 60_000

export interface BackgroundParts {
  limits: Limits
  registrar: Pick<Registrar, 'keepUp' | 'expire'>
  traffic: Pick<Traffic, 'follow'>
  idempotentRequests: Pick<IdempotentRequests, 'erase'>
  reconciler: Pick<Reconciler, 'round'>
  /** 0: only when an operator asks. */
  reconcileIntervalMs: number
  catalogue: Pick<StoredCatalogue, 'refresh'>
  keyWatch: KeyWatch
  sealer: AuditSealer
  clientChanges: Pick<GatewayStore, 'forgetChanges'>
  /** Null: there is no gateway listener. */
  uses: Pick<Uses, 'flush'> | null
  log: Log
  onRoundEnded: Parameters<typeof startLoop>[4]
}

export function startBackground (parts: BackgroundParts): Loop[] {
  const { limits, registrar, traffic, idempotentRequests, reconciler, reconcileIntervalMs, catalogue, keyWatch, sealer, clientChanges, uses } = parts
  const { log, onRoundEnded } = parts
  const loop = (name: string, work: Parameters<typeof startLoop>[1], intervalMs: number): Loop => startLoop(name, work, intervalMs, log, onRoundEnded)
  return [
    loop('Upkeep', signal => registrar.keepUp(signal), limits.resumeScanMs),
    loop('Expiry', () => registrar.expire(), limits.sweepIntervalMs),
    loop('Traffic', () => traffic.follow(), TRAFFIC_MS),
    loop('Idempotency', signal => idempotentRequests.erase(signal), limits.sweepIntervalMs),
    ...(reconcileIntervalMs === 0 ? [] : [loop('Reconciler', signal => reconciler.round(signal), reconcileIntervalMs)]),
    loop('Client changes', async () => ({ forgotten: await clientChanges.forgetChanges() }), limits.sweepIntervalMs),
    ...(uses === null ? [] : [loop('Client uses', () => uses.flush(), USES_FLUSH_MS)]),
    // What the CLI or another replica has changed.
    loop('Catalogue', () => catalogue.refresh(), CATALOGUE_MS),
    loop('Key watch', () => keyWatch.look(), KEY_WATCH_MS),
    ...(limits.auditSealIntervalMs === 0
      ? []
      : [
          loop('Audit sealer', signal => sealer.seal(signal), limits.auditSealIntervalMs),
          loop('Audit checkpoint', async () => logCheckpoint(sealer, log), CHECKPOINT_MS)
        ])
  ]
}

/** Kept outside the database, so that it shows when the audit there was cut or written anew. */
export function logCheckpoint (sealer: AuditSealer, log: Log): void {
  const checkpoint = sealer.checkpoint()
  if (checkpoint !== null) log.info({ ...checkpoint }, CHECKPOINT_MESSAGE)
}
