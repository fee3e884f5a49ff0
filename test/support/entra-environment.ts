// The settings that point a broker at the simulator instead of Entra, without a limit of its own on writes.
import type { Simulator } from '../../src/simulator/simulator.ts'

export function entraEnvironment ({ url, tenantId, broker }: Pick<Simulator, 'url' | 'tenantId' | 'broker'>) {
  return {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: broker.clientId,
    AZURE_CLIENT_SECRET: broker.clientSecret,
    AZURE_AUTHORITY_HOST: url,
    GRAPH_BASE_URL: url,
    GRAPH_WRITES_PER_SECOND: '0'
  }
}
