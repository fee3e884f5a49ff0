// dcr-broker keys rewrap: brings every sealed value under the active key. Stopped, it goes on where it was.
import { keyringFault } from '../../administration/key-watch.ts'
import { commandLine } from '../../administration/operator.ts'
import type { RewrapProgress } from '../../administration/rewrap.ts'
import type { PrismaClient } from '../../store/prisma-client.ts'
import { createReplicaStore } from '../../store/replica-store.ts'
import type { RunStatement } from '../../store/statements.ts'
import type { EnvelopeVault } from '../../vault/envelope-vault.ts'
import { CommandError, type Command, type CommandContext } from '../command.ts'
import { withDatabase } from '../database.ts'
import { encryptionKeysOf } from '../key-document.ts'
import { withKeyring } from '../keyring-file.ts'
import { jsonOption, noArguments } from '../option-values.ts'
import { createProgress } from '../progress.ts'

export const keysRewrap: Command = {
  usage: 'keys rewrap [--json]',
  about: 'Bring all sealed values under the active key. Needs DATABASE_URL and ENCRYPTION_KEYRING_FILE.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const work = withKeyring(context, vault => withDatabase(context, (prisma, run) => rewrapAll(prisma, run, vault, context)))
    const { kid, rewrapped, remaining, total, failures } = await work
    if (values.json === true) {
      context.print(JSON.stringify({ kid, rewrapped, remaining, total, failures: failures.map(({ table, rowId }) => ({ table, id: rowId })) }))
    } else {
      context.print(`${rewrapped} values were brought under ${kid}; ${remaining} of ${total} are left.`)
      for (const { table, rowId } of failures) context.complain(`dcr-broker: the value of ${table} ${rowId} does not open and stays as it is.`)
    }
    return remaining === 0 ? 0 : 1
  }
}

async function rewrapAll (prisma: PrismaClient, run: RunStatement, vault: EnvelopeVault, { signal }: CommandContext): Promise<RewrapProgress> {
  const known = await createReplicaStore(run).list()
  const fault = keyringFault(vault, known, [])
  if (fault !== null) throw new CommandError([fault])
  vault.follow({ active: known.find(({ state }) => state === 'active')?.kid ?? null, retired: [], foreign: [] })
  const keys = encryptionKeysOf(prisma, vault)
  const progress = createProgress('Rewrapping')
  let rewrapped = 0
  try {
    for (;;) {
      const slice = await keys.rewrap(commandLine, signal)
      rewrapped += slice.rewrapped
      progress.advance(slice.total - slice.remaining, slice.total)
      // What is left after a slice that did nothing does not open.
      if (slice.remaining === 0 || slice.rewrapped === 0) return { ...slice, rewrapped }
    }
  } finally {
    progress.end()
  }
}
