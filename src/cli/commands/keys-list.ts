// dcr-broker keys list: which keys there are, who has them, and what they have sealed.
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { encryptionKeysOf, keyDocument } from '../key-document.ts'
import { jsonOption, noArguments } from '../option-values.ts'
import { table } from '../table.ts'

export const keysList: Command = {
  usage: 'keys list [--json]',
  about: 'List key-encryption keys, the live replicas that lack them, and how many values each has sealed.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const { keys, replicas, remaining, total } = await withDatabase(context, prisma => encryptionKeysOf(prisma).list())
    if (values.json === true) {
      context.print(JSON.stringify({
        keys: keys.map(keyDocument),
        replicas: replicas.map(({ id, version, kids, activeKid, seenAt }) => ({ id, version, kids, active_kid: activeKid, seen_at: seenAt.toISOString() })),
        rewrap: { remaining, total }
      }))
      return 0
    }
    table(['KEY', 'STATE', 'SEALED VALUES', 'MISSING ON', 'ACTIVATED', 'REPLACED', 'RETIRED'], keys.map(keyDocument).map(key => [
      key.kid, key.state, key.sealed_values, key.missing_on.join(', '), key.activated_at, key.replaced_at, key.retired_at
    ])).forEach(context.print)
    context.print(`${replicas.length} live ${replicas.length === 1 ? 'replica' : 'replicas'}; ${remaining} of ${total} sealed values are not under the active key.`)
    return 0
  }
}
