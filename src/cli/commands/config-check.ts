// dcr-broker config-check: reads the settings as the broker would, and says every fault, or what it understood. Never a secret.
import { readSettings, SettingsError, type EntraTenant, type Listener, type Settings } from '../../settings/settings.ts'
import { KeyringError } from '../../vault/keyring-document.ts'
import { openKeyring } from '../../vault/keyring.ts'
import { CommandError, UsageError, type Command } from '../command.ts'

export const configCheck: Command = {
  usage: 'config-check [--json]',
  about: 'Check the environment and the keyring file; connects to nothing.',
  options: { json: { type: 'boolean', about: 'Answer in JSON.' } },

  async run (values, positionals, { environment, print, complain }) {
    if (positionals.length > 0) throw new UsageError(`Unexpected argument: ${positionals.join(' ')}`)
    const faults: string[] = []
    const settings = read(environment, faults)
    const keyring = settings?.keyringFile ?? environment.ENCRYPTION_KEYRING_FILE
    if (keyring !== undefined && keyring !== '') faults.push(...await keyringFaults(keyring))
    if (values.json === true) print(JSON.stringify(settings === null || faults.length > 0 ? { valid: false, faults } : { valid: true, ...summaryOf(settings) }))
    else if (faults.length > 0) throw new CommandError(faults)
    else if (settings !== null) describe(settings, print, complain)
    return faults.length > 0 ? 1 : 0
  }
}

function read (environment: NodeJS.ProcessEnv, faults: string[]): Settings | null {
  try {
    return readSettings(environment)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    faults.push(...error.faults)
    return null
  }
}

async function keyringFaults (path: string): Promise<string[]> {
  try {
    const keyring = await openKeyring(path, { info () {}, error () {} })
    keyring.close()
    return []
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error
    return error.faults.map(fault => `ENCRYPTION_KEYRING_FILE: ${fault}`)
  }
}

/** Names what is shown: a setting that is added later is not shown until somebody has decided that it may be. */
function summaryOf (settings: Settings) {
  const { publicListener, operationsListener, entra, callers, registrationMode, serviceTokens, operatorTokens, sandbox, warnings } = settings
  return {
    sandbox: sandbox !== null,
    replaced: sandbox === null ? [] : Object.entries(sandbox.replace).filter(([, missing]) => missing).map(([part]) => part),
    public_url: publicListener.url,
    public_listener: addressOf(publicListener),
    operations_listener: addressOf(operationsListener),
    database: settings.database === null ? null : databaseOf(settings.database.url),
    keyring_file: settings.keyringFile,
    entra: entra.tenant === null ? null : tenantOf(entra.tenant),
    callers: { konnect: callers.konnectApiKeys.length, operators: callers.adminApiKeys.length, initial_access_tokens: callers.initialAccessTokens.length },
    registration_mode: registrationMode,
    service_tokens: { audience: serviceTokens.audiences.join(',') || null, role: serviceTokens.role },
    operator_tokens: {
      audience: operatorTokens.audiences.join(',') || null,
      roles: Object.entries(operatorTokens.roles).map(([role, scopes]) => `${role}=${scopes.join('+')}`).join(',')
    },
    warnings
  }
}

function describe (settings: Settings, print: (line: string) => void, complain: (line: string) => void): void {
  const { warnings, callers, entra, replaced, sandbox, service_tokens: serviceTokens, operator_tokens: operatorTokens, ...rest } = summaryOf(settings)
  const lines: Record<string, unknown> = {
    sandbox: sandbox ? `yes, replaces ${replaced.join(', ') || 'nothing'}` : 'no',
    ...rest,
    ...prefixed('entra', entra ?? {}),
    ...prefixed('callers', callers),
    ...prefixed('service_tokens', serviceTokens),
    ...prefixed('operator_tokens', operatorTokens)
  }
  for (const [name, value] of Object.entries(lines)) print(`${name.padEnd(32)}${value === null ? '-' : String(value)}`)
  for (const warning of warnings) complain(`Warning: ${warning}`)
}

function prefixed (prefix: string, members: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [`${prefix}.${name}`, value]))
}

function addressOf ({ host, port }: Listener): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Host and database, without user, password and parameters. */
function databaseOf (text: string): string {
  const { host, pathname } = new URL(text)
  return `${host}${pathname}`
}

function tenantOf ({ tenantId, clientId, credential, authorityHost, graphBaseUrl }: EntraTenant) {
  return { tenant_id: tenantId, client_id: clientId, credential: credential.kind, authority: authorityHost, graph: graphBaseUrl }
}
