// oidc-provider with its registration in memory (its own adapter: the 1,000 entries used last), behind Node's HTTP server.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import { announce, endWithParent } from './serving.ts'

endWithParent()
const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address() as AddressInfo
const provider = new Provider(`http://127.0.0.1:${address.port}`, {
  cookies: { keys: ['of no use here'] },
  features: { devInteractions: { enabled: false }, registration: { enabled: true }, registrationManagement: { enabled: true } }
})
server.on('request', provider.callback())
announce(address)
