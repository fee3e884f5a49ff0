// Names that look like ours and are not are warned about; those of other programs are left alone.
import t from 'tap'
import { readSettings } from '../../src/settings/settings.ts'

const warned = (environment: NodeJS.ProcessEnv) => readSettings(environment).warnings.map(warning => warning.split(' ')[0])

t.test('a misspelt setting and an Azure name the broker does not use are warned about, once each', async t => {
  const names = [
    'ADMIN_API_KEY', 'AZURE_CLIENT_SEND_CERTIFICATE_CHAIN', 'AZURE_USERNAME', 'ENCRYPTION_KEYRING', 'GRAPH_URL', 'KONNECT_API_KEY',
    'OPERATIONS_URL', 'PURGE_AFTER_DAYS', 'REGISTRATION_MODES', 'SANDBOX_FOLDER'
  ]
  t.strictSame(warned(Object.fromEntries(names.map(name => [name, 'x']))), names)
})

t.test('known names, test names of Azure, other programs and Kubernetes\' service variables are left alone', async t => {
  t.strictSame(warned({
    PORT: '3000',
    KONNECT_API_KEYS: 'konnect_key_0001',
    AZURE_TEST_TENANT_ID: 'x',
    PATH: '/bin',
    HOSTNAME: 'pod',
    NODE_OPTIONS: '--enable-source-maps',
    OTEL_SERVICE_NAME: 'broker',
    LOG_FORMAT: 'json',
    DCR_BROKER_PORT: 'tcp://10.0.0.1:3000',
    DCR_BROKER_SERVICE_HOST: '10.0.0.1',
    KONNECT_PORT: 'tcp://10.0.0.1:80',
    KONNECT_SERVICE_HOST: '10.0.0.1',
    KONNECT_SERVICE_PORT: '80',
    KONNECT_SERVICE_PORT_HTTP: '80',
    KONNECT_PORT_80_TCP: 'tcp://10.0.0.1:80',
    KONNECT_PORT_80_TCP_ADDR: '10.0.0.1',
    KONNECT_PORT_80_TCP_PROTO: 'tcp'
  }), [])
})
