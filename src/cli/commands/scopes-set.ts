// dcr-broker scopes set: what a registered scope means in Entra.
import { commandLine } from '../../administration/operator.ts'
import { putScope } from '../../store/scope-administration.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { guidOption, jsonOption, oneOfOption, providerOf, providerOption, soleArgument } from '../option-values.ts'

export const scopesSet: Command = {
  usage: 'scopes set <name> --resource <application id> --permission <id> --type Scope|Role [--grant] [--provider <name>] [--json]',
  about: 'Let callers register a scope, and say which permission of which resource application it is.',
  options: {
    resource: { type: 'string', about: 'Application (client) id of the resource.' },
    permission: { type: 'string', about: 'Id of its delegated permission or app role.' },
    type: { type: 'string', about: 'Scope (delegated permission) or Role (app role).' },
    grant: {
      type: 'boolean',
      about: 'Grant it, for the whole tenant, to clients whose policy names it; needs AppRoleAssignment.ReadWrite.All or DelegatedPermissionGrant.ReadWrite.All.'
    },
    provider: providerOption,
    json: jsonOption
  },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name of the scope')
    // RFC 6749 §3.3
    if (!/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/.test(name)) throw new UsageError('The name is not acceptable. Accepted: a scope of OAuth, without spaces, quotes and backslashes.')
    const mapping = {
      name,
      resourceAppId: guidOption(values, 'resource'),
      permissionId: guidOption(values, 'permission'),
      type: oneOfOption(values, 'type', ['Scope', 'Role']),
      granted: values.grant === true
    }
    const provider = providerOf(values)
    const outcome = await withDatabase(context, prisma => putScope(prisma, commandLine, provider, mapping))
    context.print(values.json === true ? JSON.stringify({ name, provider, outcome }) : `The scope ${name} of provider ${provider} is ${outcome}.`)
    return 0
  }
}
