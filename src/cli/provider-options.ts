// Options of the provider commands. Secrets come from a file or from stdin: what stands on a command line can be read by everybody on the machine.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { CommandError, UsageError } from './command.ts'
import { guidOption, textOption, type OptionValues } from './option-values.ts'
import type { GivenCredential } from '../administration/provider-records.ts'

export const credentialOptions = {
  'secret-file': { type: 'string', about: 'File with the secret of the broker\'s application; - reads stdin.' },
  'secret-expires-at': { type: 'string', about: 'When that secret ends, as in 2027-01-31T00:00:00Z.' },
  'certificate-file': { type: 'string', about: 'PEM file with private key and certificate instead; - reads stdin.' },
  federated: { type: 'boolean', about: 'The platform\'s token instead (AZURE_FEDERATED_TOKEN_FILE).' }
} as const

export const placeOptions = {
  issuer: { type: 'string', about: 'https://sts.windows.net/<tenant id>/ or https://login.microsoftonline.com/<tenant id>/v2.0.' },
  'authority-host': { type: 'string', about: 'Sign-in host, where the issuer leaves it open.' },
  'graph-base-url': { type: 'string', about: 'Microsoft Graph, where the cloud has more than one.' }
} as const

/** Of the given client id; null: none of the options is there. @throws UsageError, CommandError when a file can't be read */
export async function credentialOption (values: OptionValues): Promise<((clientId: string) => GivenCredential) | null> {
  const [secretFile, pemFile] = [textOption(values, 'secret-file'), textOption(values, 'certificate-file')]
  const given = [secretFile !== undefined, pemFile !== undefined, values.federated === true].filter(Boolean).length
  if (given > 1) throw new UsageError('Exactly one of --secret-file, --certificate-file and --federated is accepted.')
  const expiresAt = timeOption(values, 'secret-expires-at')
  if (expiresAt !== null && secretFile === undefined) throw new UsageError('--secret-expires-at belongs to --secret-file.')
  if (secretFile !== undefined) {
    const secret = (await read(secretFile, 'secret-file')).replace(/\r?\n$/, '')
    if (!/^[\x21-\x7e]{1,256}$/.test(secret)) throw new CommandError(['--secret-file holds no secret. Accepted: one line of at most 256 characters.'])
    return clientId => ({ kind: 'secret', clientId, secret, expiresAt })
  }
  if (pemFile !== undefined) {
    const pem = await read(pemFile, 'certificate-file')
    return clientId => ({ kind: 'certificate', clientId, pem })
  }
  return values.federated === true ? clientId => ({ kind: 'federated', clientId }) : null
}

export function clientIdOption (values: OptionValues): string | undefined {
  return values['client-id'] === undefined ? undefined : guidOption(values, 'client-id')
}

/** `a=1,b=2`; a key without a value takes the label away. */
export function labelsOption (values: OptionValues): Record<string, string | null> | undefined {
  const given = textOption(values, 'labels')
  if (given === undefined) return undefined
  return Object.fromEntries(given.split(',').map(pair => {
    const [, key, value] = /^([A-Za-z0-9][\w.-]{0,62})(?:=([A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?))?$/.exec(pair.trim()) ?? []
    if (key === undefined) throw new UsageError('--labels is not acceptable. Accepted: key=value pairs separated by commas; a key alone takes its label away.')
    return [key, value ?? null]
  }))
}

function timeOption (values: OptionValues, name: string): Date | null {
  const given = textOption(values, name)
  if (given === undefined) return null
  const time = new Date(given)
  if (!/^\d{4}-\d\d-\d\dT/.test(given) || Number.isNaN(time.getTime())) throw new UsageError(`--${name} is not acceptable. Accepted: a time as in 2027-01-31T00:00:00Z.`)
  return time
}

async function read (path: string, option: string): Promise<string> {
  if (path === '-') return await text(process.stdin)
  return await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new CommandError([`--${option}: the file can't be read${code}.`])
  })
}
