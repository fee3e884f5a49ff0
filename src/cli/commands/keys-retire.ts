// dcr-broker keys retire: nothing is sealed under this key any more.
import { commandLine } from '../../administration/operator.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { encryptionKeysOf, keyDocument } from '../key-document.ts'
import { jsonOption, soleArgument } from '../option-values.ts'

export const keysRetire: Command = {
  usage: 'keys retire <kid> [--json]',
  about: 'Retire a key that no value is sealed under any more; then it can be taken out of the keyring files.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const kid = soleArgument(positionals, 'the name of the key')
    const key = await withDatabase(context, prisma => encryptionKeysOf(prisma).retire(kid, commandLine))
    context.print(values.json === true ? JSON.stringify(keyDocument(key)) : `Key ${key.kid} is retired. It can be taken out of the keyring files.`)
    return 0
  }
}
