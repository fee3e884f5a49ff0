// Environments for the tests of settings: a whole installation, and ways to read one.
import { readSettings, SettingsError } from '../../src/settings/settings.ts'

/** Everything an installation needs, and nothing else. */
export const installation = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://dcr.example.com/',
  DATABASE_URL: 'postgresql://broker:pw@db.example.com:5432/broker',
  ENCRYPTION_KEYRING_FILE: '/run/secrets/keyring.json',
  AZURE_TENANT_ID: '6f0c1a52-3c0e-4a51-8a27-0b8c0b7e9f10',
  AZURE_CLIENT_ID: '5c0d2f7e-8a53-4a55-9a53-0b8c0b7e9f10',
  AZURE_CLIENT_SECRET: 'Xq_8Q~the-secret-of-the-broker'
} as const

/** The same against parts on this machine. */
export const local = {
  DATABASE_URL: 'postgresql://broker:pw@localhost:5432/broker',
  AZURE_TENANT_ID: installation.AZURE_TENANT_ID,
  AZURE_CLIENT_ID: installation.AZURE_CLIENT_ID,
  AZURE_CLIENT_SECRET: installation.AZURE_CLIENT_SECRET,
  AZURE_AUTHORITY_HOST: 'http://127.0.0.1:3002',
  GRAPH_BASE_URL: 'http://127.0.0.1:3002/graph'
} as const

/** The faults of an environment; none when it is good. */
export function faultsOf (environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    readSettings(environment)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.faults
    throw error
  }
}
