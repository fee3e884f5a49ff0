// The simulator as a process of its own: SIMULATOR_PORT (3002), SIMULATOR_HOST (127.0.0.1), and SIMULATOR_STATE_FILE, which is
// read at start when it is there, written (mode 0600) soon after each change and at the end.
import closeWithGrace from 'close-with-grace'
import { readStateFile, createStateFile } from './state-file.ts'
import { startSimulator } from './simulator.ts'

const { SIMULATOR_PORT = '3002', SIMULATOR_HOST = '127.0.0.1', SIMULATOR_STATE_FILE: path } = process.env
const port = Number(SIMULATOR_PORT)
if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`SIMULATOR_PORT must be a port number, not '${SIMULATOR_PORT}'.`)

const state = path === undefined ? null : await readStateFile(path)
const file = path === undefined ? null : createStateFile(path, () => simulator.snapshot())
const simulator = await startSimulator({
  port,
  host: SIMULATOR_HOST,
  ...(state === null ? {} : { state }),
  onChange: () => file?.schedule()
})
await file?.save()

closeWithGrace(async ({ err }) => {
  if (err !== undefined) console.error(err)
  await simulator.close()
  await file?.save()
})

console.log(`Entra simulator: ${simulator.url}
  GRAPH_BASE_URL=${simulator.url}
  AZURE_AUTHORITY_HOST=${simulator.url}
  AZURE_TENANT_ID=${simulator.tenantId}
  AZURE_CLIENT_ID=${simulator.broker.clientId}
  AZURE_CLIENT_SECRET=${simulator.broker.clientSecret}
  resources: api://gateway-v1 (v1 tokens), api://gateway-v2 (v2 tokens)
  control: ${simulator.url}/_simulator/state`)
