// Gauges whose values somebody else knows: read when they are asked for, not more often than they may be, and not waited for long.
import { Gauge, type Registry } from 'prom-client'

export interface Sample {
  labels: Record<string, string>
  value: number
}

/** Gauges that are read together. Each has at least one label, so that a value that is not known is absent instead of 0. */
export interface GaugeGroup<Name extends string> {
  name: string
  gauges: Readonly<Record<Name, { help: string, labelNames: readonly [string, ...string[]] }>>
  read: () => Promise<Record<Name, Sample[]>> | Record<Name, Sample[]>
  /** A reading is used again for so long, however many scrapers there are. */
  everyMs: number
}

/** A scrape is answered within this time, without what could not be read. */
const PATIENCE_MS = 2_000

export interface Gauges {
  watch<Name extends string> (group: GaugeGroup<Name>): void
  /** Never throws. */
  refresh (): Promise<void>
}

export function createGauges (registry: Registry, monotonicMs: () => number = () => performance.now()): Gauges {
  const readable = new Gauge({ name: 'dcr_reading_up', help: '1: the gauges of this group could be read.', labelNames: ['group'], registers: [registry] })
  const refreshes: Array<() => Promise<void>> = []

  return {
    watch ({ name, gauges, read, everyMs }) {
      const made = Object.entries<{ help: string, labelNames: readonly string[] }>(gauges).map(([metric, { help, labelNames }]) =>
        [metric as keyof typeof gauges, new Gauge({ name: metric, help, labelNames: [...labelNames], registers: [registry] })] as const)
      let lastMs = -Infinity
      let reading: Promise<void> | null = null

      async function readNow (): Promise<void> {
        try {
          const samples = await read()
          for (const [metric, gauge] of made) {
            gauge.reset()
            for (const { labels, value } of samples[metric]) gauge.set(labels, value)
          }
          readable.set({ group: name }, 1)
          lastMs = monotonicMs()
        } catch {
          // Whoever reads the log hears of a database that is away from elsewhere.
          for (const [, gauge] of made) gauge.reset()
          readable.set({ group: name }, 0)
        } finally {
          reading = null
        }
      }

      refreshes.push(async () => {
        if (monotonicMs() - lastMs < everyMs) return
        reading ??= readNow()
        await reading
      })
    },
    async refresh () {
      const patience = new AbortController()
      const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
      const over = new Promise<void>(resolve => patience.signal.addEventListener('abort', () => resolve(), { once: true }))
      await Promise.race([Promise.all(refreshes.map(refresh => refresh())), over])
      clearTimeout(timer)
    }
  }
}
