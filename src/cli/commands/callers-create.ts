// dcr-broker callers create: makes a key or token for a caller.
import { isName, kindRules, mintedKinds } from '../../administration/caller-rules.ts'
import type { CallerSummary, MintedKind } from '../../administration/callers-port.ts'
import { commandLine } from '../../administration/operator.ts'
import { callerDocument } from '../caller-document.ts'
import { callersIn } from '../callers.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import {
  durationOption, jsonOption, listOption, noArguments, oneOfOption, providerOf, requiredOption, textOption, wholeNumberOption, type OptionValues
} from '../option-values.ts'

const mostRegistrations = 1_000_000

const optionOf = (kind: MintedKind) => kind.replaceAll('_', '-')

export const callersCreate: Command = {
  usage: 'callers create --kind <kind> --name <name> [--provider <name>] [--scopes <list>] [--expires-in 30d] [--max-registrations <n>] [--policy <name>] [--json]',
  about: 'Make a key or token for a caller; it is shown this once.',
  options: {
    kind: { type: 'string', about: `${mintedKinds.map(optionOf).join(', ')}` },
    name: { type: 'string', about: 'What the caller is called; nobody else may be called so.' },
    provider: { type: 'string', about: 'Name of the provider; default if left out. An operator without one is an operator of all.' },
    scopes: { type: 'string', about: 'What it may do: of register, read, rotate, delete, admin, audit; separated by commas.' },
    'expires-in': { type: 'string', about: 'As in 30m, 12h, 30d; never if left out.' },
    'max-registrations': { type: 'string', about: 'Most clients it may register, ever; no limit if left out.' },
    policy: { type: 'string', about: 'Name of the policy; default if left out.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const wanted = wantedOf(values)
    const { caller, token } = await withDatabase(context, prisma => callersIn(prisma).create(wanted, commandLine, null))
    if (values.json === true) {
      context.print(JSON.stringify({ ...callerDocument(caller), token }))
      return 0
    }
    // The token alone on stdout: TOKEN=$(dcr-broker callers create …)
    context.print(token)
    context.complain(`Made ${caller.name} (${caller.id}) for ${placeOf(caller)}; it ${endOf(caller)}. The token is not stored: keep it now.`)
    return 0
  }
}

function wantedOf (values: OptionValues) {
  const kind = mintedKinds.find(each => optionOf(each) === oneOfOption(values, 'kind', mintedKinds.map(optionOf)))
  if (kind === undefined) throw new Error('The kind was checked')
  const expiresInMs = durationOption(values, 'expires-in')
  return {
    kind,
    name: nameOf(values),
    providerName: kindRules[kind].needsProvider ? providerOf(values) : textOption(values, 'provider') ?? null,
    policyName: textOption(values, 'policy') ?? null,
    scopes: scopesOf(values, kind),
    maxRegistrations: wholeNumberOption(values, 'max-registrations', mostRegistrations),
    expiry: expiresInMs === null ? null : { inMs: expiresInMs }
  }
}

function nameOf (values: OptionValues): string {
  const name = requiredOption(values, 'name')
  if (!isName(name)) throw new UsageError('--name is not acceptable. Accepted: 1 to 120 printable characters.')
  return name
}

function scopesOf (values: OptionValues, kind: MintedKind): string[] | undefined {
  const wanted = listOption(values, 'scopes')
  const { scopes } = kindRules[kind]
  if (wanted?.every(scope => scopes.some(each => each === scope)) === false) {
    throw new UsageError(`--scopes is not acceptable. Accepted for this kind: a comma list of ${scopes.join(', ')}.`)
  }
  return wanted
}

function placeOf ({ providerName }: CallerSummary): string {
  return providerName === null ? 'all providers' : `provider ${providerName}`
}

function endOf ({ expiresAt }: CallerSummary): string {
  return expiresAt === null ? 'never expires' : `expires at ${expiresAt.toISOString()}`
}
