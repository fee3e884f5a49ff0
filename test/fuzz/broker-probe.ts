// Loaded before the broker: answers, on a port of its own that it writes into PROCESS_FOLDER, what only the process itself knows.
import { writeFileSync, renameSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { PROBE_FILE, type Probed } from './probe-file.ts'

setFlagsFromString('--expose-gc')
// The tests' processes leave WebAssembly as it is, for they are short; this one is not, and stands for one in production.
setFlagsFromString('--no-liftoff-only')
const collect = runInNewContext('gc') as () => void
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()

/** Whatever pollution would reach. */
const shared = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Object, Array]

const server = createServer(({ url }, response) => {
  // Weak references and finalizers need a turn of the loop between two collections.
  collect()
  setImmediate(() => {
    collect()
    const { heapUsed, rss, external, arrayBuffers } = process.memoryUsage()
    const probed: Probed = {
      heapUsed,
      rss,
      external,
      arrayBuffers,
      loopDelayP99Ms: delay.percentile(99) / 1e6,
      loopDelayMaxMs: delay.max / 1e6,
      prototypes: shared.map(each => Reflect.ownKeys(each).map(String).join())
    }
    if (url === '/reset') delay.reset()
    response.end(JSON.stringify(probed))
  })
})
server.listen(0, '127.0.0.1', () => {
  const file = join(process.env['PROCESS_FOLDER'] ?? '', PROBE_FILE)
  writeFileSync(`${file}.new`, String((server.address() as AddressInfo).port))
  renameSync(`${file}.new`, file)
})
server.unref()
