// Names that look like ours and are not: most often a typing error that would silently leave a default in place.
import { secretNames, settingNames } from './schema.ts'

// First words that other programs use as well.
const generic = new Set(['NODE', 'OTEL', 'LOG', 'MAX', 'REQUEST'])

const known = new Set<string>([...settingNames, ...secretNames.map(name => `${name}_FILE`)])

const families = [...new Set(settingNames
  .filter(name => name.includes('_'))
  .map(name => name.slice(0, name.indexOf('_')))
  .filter(word => !generic.has(word)))]

// Kubernetes puts every service of the namespace into the environment: KONNECT_SERVICE_HOST, KONNECT_PORT=tcp://…, KONNECT_PORT_80_TCP_ADDR.
const serviceName = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/
const serviceAddress = /^(tcp|udp|sctp):\/\//

/** One warning for each name of the environment that has one of our prefixes or AZURE_ and no meaning here. Values are not shown. */
export function unknownNameWarnings (environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment)
    .filter(([name, value]) => isSuspect(name) && !serviceName.test(name) && !serviceAddress.test(value ?? ''))
    .map(([name]) => `${name} is not a setting of the broker and has no effect.`)
    .sort()
}

function isSuspect (name: string): boolean {
  // AZURE_TEST_* point the contract tests at a real tenant.
  return !known.has(name) && !name.startsWith('AZURE_TEST_') && families.some(family => name.startsWith(`${family}_`))
}
