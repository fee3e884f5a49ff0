// dcr-broker keys activate: new secrets are sealed under this key from now on.
import { commandLine } from '../../administration/operator.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { encryptionKeysOf, keyDocument } from '../key-document.ts'
import { jsonOption, soleArgument } from '../option-values.ts'

export const keysActivate: Command = {
  usage: 'keys activate <kid> [--json]',
  about: 'Seal new secrets under a key, on every replica within seconds; refused until each live replica has it.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const kid = soleArgument(positionals, 'the name of the key')
    const key = await withDatabase(context, prisma => encryptionKeysOf(prisma).activate(kid, commandLine))
    context.print(values.json === true ? JSON.stringify(keyDocument(key)) : `New secrets are sealed under ${key.kid}. Bring the others under it: dcr-broker keys rewrap`)
    return 0
  }
}
