// The reconciler, as the surfaces call it: its own rounds, runs on request, the report, and what operators decide.
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import { toRegistrationError } from '../registration/failures.ts'
import type { Caller } from '../registration/registration.ts'
import { adopt, purge } from './decisions.ts'
import { emptyReport, SHOWN_FINDINGS } from './notebook.ts'
import type { IdleClients, ProviderReport, ReconciliationDesk, ReconciliationStore, RunCounts } from './port.ts'
import { runAt, type RunParts } from './run.ts'
import type { ReconciliationSettings } from './settings.ts'
import type { Tools } from './attempts.ts'

/** Replicas look in turn: a run of another counts for so much of the interval. */
const SHARE_OF_INTERVAL = 0.75

export interface RunWish {
  /** Name of a provider; null: all that the operator sees. */
  provider: string | null
  isDry: boolean
}

export interface RunAnswer {
  /** False: it goes on, and the report will have it. */
  isFinished: boolean
  reports: ProviderReport[]
}

/** An operator who is bound to a provider sees and touches nothing of another. Throws AdministrationError, RegistrationError. */
export interface Reconciler {
  /** One round of the broker's own work: every provider that is served. Resolves to the counts of all. */
  round (signal: AbortSignal): Promise<RunCounts>
  reports (caller: Caller): Promise<ProviderReport[]>
  run (wish: RunWish, caller: Caller): Promise<RunAnswer>
  /** Resolves to the registration's id. */
  adopt (clientId: string, ownerId: string | null, caller: Caller, by: Operator): Promise<string>
  purge (clientId: string, caller: Caller, by: Operator): Promise<void>
  /** Resolves to the names of the providers that were on hold. */
  release (provider: string | null, caller: Caller, by: Operator): Promise<string[]>
  /** Ends runs on request; resolves when they have. */
  close (): Promise<void>
}

export interface ReconcilerParts {
  tools: Tools
  store: ReconciliationStore & IdleClients & ReconciliationDesk
  settings: ReconciliationSettings
  /** Those that are served, the oldest first. */
  providers: () => ReadonlyArray<{ id: string, name: string }>
}

export function createReconciler ({ tools, store, settings, providers }: ReconcilerParts): Reconciler {
  const parts: RunParts = { tools, store, idle: store, settings }
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()

  function providerIds (name: string | null, { providerId: only }: Caller): string[] {
    const visible = providers().filter(provider => (only === null || provider.id === only) && (name === null || provider.name === name))
    if (name !== null && visible.length === 0) throw new AdministrationError(`There is no provider ${name}.`, 'unknown')
    return visible.map(({ id }) => id)
  }

  async function runAll (ids: readonly string[], isDry: boolean): Promise<void> {
    // What stopped one run is in its report.
    for (const id of ids) await runAt(parts, id, { isDry, notWithinMs: 0, signal: stopping.signal }).catch(() => null)
  }

  return {
    async round (signal) {
      const { foreign: _, ...counts } = emptyReport()
      for (const { id } of providers()) {
        // A provider that can't be reached does not keep the others waiting; its report says so.
        if (signal.aborted) break
        const report = await runAt(parts, id, { isDry: false, notWithinMs: settings.intervalMs * SHARE_OF_INTERVAL, signal }).catch(() => null)
        if (report === null) continue
        for (const name of Object.keys(counts) as Array<keyof RunCounts>) counts[name] += report[name]
      }
      return counts
    },

    reports: async ({ providerId }) => await store.reports(providerId, SHOWN_FINDINGS),

    async run ({ provider, isDry }, caller) {
      const ids = providerIds(provider, caller)
      if ((await store.reports(caller.providerId, 0)).some(({ providerId, isRunning }) => isRunning && ids.includes(providerId))) {
        throw new AdministrationError('A run is under way already.', 'busy')
      }
      const work = runAll(ids, isDry).finally(() => underWay.delete(work))
      underWay.add(work)
      const isFinished = await inTime(work)
      return { isFinished, reports: (await store.reports(caller.providerId, SHOWN_FINDINGS)).filter(({ providerId }) => ids.includes(providerId)) }
    },

    adopt: async (...args) => await asOperator(adopt({ tools, desk: store, settings }, ...args)),
    purge: async (...args) => await asOperator(purge({ tools, desk: store, settings }, ...args)),
    release: async (provider, caller, by) => await store.release(providerIds(provider, caller), by),

    async close () {
      stopping.abort()
      await Promise.all(underWay)
    }
  }

  async function inTime (work: Promise<void>): Promise<boolean> {
    const answered = new AbortController()
    const late = tools.ports.clock.sleep(tools.settings.requestDeadlineMs / 2, answered.signal).then(() => false)
    const isFinished = await Promise.race([work.then(() => true), late])
    answered.abort()
    return isFinished
  }
}

async function asOperator<T> (work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => { throw toRegistrationError(error) })
}
