// dcr-broker callers create: makes an initial access token.
import { commandLine } from '../../administration/operator.ts'
import { mintInitialAccessToken } from '../../initial-access-token.ts'
import { addInitialAccessToken } from '../../store/caller-administration.ts'
import { callerDocument } from '../caller-document.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import {
  durationOption, jsonOption, noArguments, oneOfOption, providerOf, providerOption, requiredOption, textOption, wholeNumberOption, type OptionValues
} from '../option-values.ts'

const knownScopes = ['register', 'read']
const mostRegistrations = 1_000_000

export const callersCreate: Command = {
  usage: 'callers create --kind initial-access-token --name <name> [--provider <name>] [--expires-in 30d] [--max-registrations <n>] [--policy <name>] [--json]',
  about: 'Make an initial access token for POST /register; it is shown this once.',
  options: {
    kind: { type: 'string', about: 'initial-access-token' },
    name: { type: 'string', about: 'What the token is called; nobody else may be called so.' },
    provider: providerOption,
    'expires-in': { type: 'string', about: 'As in 30m, 12h, 30d; never if left out.' },
    'max-registrations': { type: 'string', about: 'Most clients it may register, ever; no limit if left out.' },
    policy: { type: 'string', about: 'Name of the policy; default if left out.' },
    scopes: { type: 'string', about: 'What it may do: register (default), read; separated by commas.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    oneOfOption(values, 'kind', ['initial-access-token'])
    const { token, digest } = mintInitialAccessToken()
    const wanted = {
      name: nameOf(values),
      digest,
      providerName: providerOf(values),
      policyName: textOption(values, 'policy') ?? null,
      scopes: scopesOf(values),
      maxRegistrations: wholeNumberOption(values, 'max-registrations', mostRegistrations),
      expiresInMs: durationOption(values, 'expires-in')
    }
    const caller = await withDatabase(context, prisma => addInitialAccessToken(prisma, commandLine, wanted))
    if (values.json === true) {
      context.print(JSON.stringify({ ...callerDocument(caller), token }))
      return 0
    }
    // The token alone on stdout: TOKEN=$(dcr-broker callers create …)
    context.print(token)
    const end = caller.expiresAt === null ? 'never expires' : `expires at ${caller.expiresAt.toISOString()}`
    context.complain(`Made ${caller.name} (${caller.id}) for provider ${caller.providerName}; it ${end}. The token is not stored: keep it now.`)
    return 0
  }
}

function nameOf (values: OptionValues): string {
  const name = requiredOption(values, 'name')
  if (!/^[^\p{C}]{1,120}$/u.test(name) || name !== name.trim()) throw new UsageError('--name is not acceptable. Accepted: 1 to 120 printable characters.')
  return name
}

function scopesOf (values: OptionValues): string[] {
  const scopes = (textOption(values, 'scopes') ?? 'register').split(',').map(scope => scope.trim())
  if (scopes.some(scope => !knownScopes.includes(scope))) throw new UsageError(`--scopes is not acceptable. Accepted: a comma list of ${knownScopes.join(', ')}.`)
  return [...new Set(scopes)]
}
