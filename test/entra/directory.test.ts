// The Directory of an Entra tenant keeps the laws of its port: on the simulator always, on a real tenant when AZURE_TEST_* names one.
import t from 'tap'
import { setTimeout as pause } from 'node:timers/promises'
import { createEntraDirectories, type EntraProviderSettings } from '../../src/entra/entra-directories.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { directoryContract } from '../contracts/directory-contract.ts'

const common = { providerId: 'default', attemptTimeoutMs: 3000 }

t.test('on the simulator, consistent at once', async t => {
  const simulator = await startSimulator()
  const directories = createEntraDirectories([simulated(simulator)])
  t.teardown(async () => {
    await directories.close()
    await simulator.close()
  })
  await directoryContract(t, { directory: directories.of('default'), replication: async () => await Promise.resolve() })
  const { applications, servicePrincipals, deletedItems } = simulator.control.state()
  const left = JSON.stringify([applications, servicePrincipals, deletedItems])
  t.notMatch(left, /dcr-reg:/, 'the suite leaves nothing behind')
})

t.test('on the simulator, replicating, with reads that go backwards', async t => {
  const clock = { aheadMs: 0 }
  const simulator = await startSimulator({
    now: () => Date.now() + clock.aheadMs,
    lag: {
      readDelayMs: 3000,
      listDelayMs: 2000,
      principalDelayMs: 2000,
      tokenDelayMs: 3000,
      secretDelayMs: 5000,
      staleReadMs: 2000,
      concurrencyWindowMs: 500
    }
  })
  const directories = createEntraDirectories([simulated(simulator)])
  t.teardown(async () => {
    await directories.close()
    await simulator.close()
  })
  await directoryContract(t, { directory: directories.of('default'), replication: async () => { clock.aheadMs += 1000 } })
})

const { AZURE_TEST_TENANT_ID: tenantId, AZURE_TEST_CLIENT_ID: clientId, AZURE_TEST_CLIENT_SECRET: secret } = process.env
if (tenantId !== undefined && clientId !== undefined && secret !== undefined) {
  t.test('on a real tenant', { timeout: 600_000 }, async t => {
    const authorityHost = process.env['AZURE_TEST_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com'
    const directories = createEntraDirectories([
      { ...common, tenantId, clientId, credential: { kind: 'secret', secret }, authorityHost, attemptTimeoutMs: 10_000 }
    ])
    t.teardown(async () => await directories.close())
    await directoryContract(t, { directory: directories.of('default'), replication: async () => { await pause(2000) } })
  })
} else {
  t.comment('AZURE_TEST_TENANT_ID, AZURE_TEST_CLIENT_ID and AZURE_TEST_CLIENT_SECRET are not set: no real tenant was asked')
}

function simulated (simulator: Awaited<ReturnType<typeof startSimulator>>): EntraProviderSettings {
  return {
    ...common,
    tenantId: simulator.tenantId,
    clientId: simulator.broker.clientId,
    credential: { kind: 'secret', secret: simulator.broker.clientSecret },
    authorityHost: simulator.url,
    graphBaseUrl: `${simulator.url}/v1.0`
  }
}
