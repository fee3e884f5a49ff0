// What the probe in the broker's process says, and where.
export const PROBE_FILE = 'probe-port'

/** Bytes after a full garbage collection; the delays are those since the last question. */
export interface Probed {
  heapUsed: number
  rss: number
  external: number
  arrayBuffers: number
  loopDelayP99Ms: number
  loopDelayMaxMs: number
  /** The names of the members of what every object inherits from. */
  prototypes: string[]
}
