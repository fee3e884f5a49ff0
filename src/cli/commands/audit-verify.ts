// dcr-broker audit verify: proves that the audit is what was written, or says where it no longer is.
import { readFile } from 'node:fs/promises'
import { readCheckpoints, type AuditCheckpoint } from '../../administration/audit-checkpoint.ts'
import { verifyAudit, type AuditVerdict } from '../../administration/audit.ts'
import { createAuditChainStore } from '../../store/audit-chain-store.ts'
import { CommandError, UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { withKeyring } from '../keyring-file.ts'
import { jsonOption, noArguments, textOption } from '../option-values.ts'
import { createProgress } from '../progress.ts'

export const auditVerify: Command = {
  usage: 'audit verify [--checkpoint <file or line>] [--json]',
  about: 'Recompute the chain over the audit; exit code 1 with the first fault. Needs DATABASE_URL and ENCRYPTION_KEYRING_FILE.',
  options: {
    checkpoint: { type: 'string', about: 'A log line "Audit checkpoint", or a file with log lines; each must be in the chain.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const checkpoints = await checkpointsOf(textOption(values, 'checkpoint'))
    const progress = createProgress('Verifying the audit')
    const options = { checkpoints, progress: progress.advance, signal: context.signal }
    const verdict = await withKeyring(context, vault => withDatabase(context, prisma => verifyAudit(createAuditChainStore(prisma), vault, options)))
      .finally(progress.end)
    if (values.json === true) context.print(JSON.stringify(documentOf(verdict)))
    else describe(verdict, checkpoints.length).forEach(context.print)
    if (verdict.fault === null) return 0
    if (values.json !== true) context.complain(`dcr-broker: ${verdict.fault.message}`)
    return 1
  }
}

async function checkpointsOf (given: string | undefined): Promise<AuditCheckpoint[]> {
  if (given === undefined) return []
  const text = given.trimStart().startsWith('{') ? given : await readText(given)
  const checkpoints = readCheckpoints(text)
  if (checkpoints.length === 0) throw new UsageError('--checkpoint has no line "Audit checkpoint" of the log.')
  return checkpoints
}

async function readText (path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandError([`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`])
  })
}

function documentOf ({ verified, head, overdue, fault }: AuditVerdict) {
  return {
    valid: fault === null,
    verified,
    head,
    overdue,
    fault: fault === null ? null : { kind: fault.kind, seq: fault.seq, event_id: fault.eventId, message: fault.message }
  }
}

function describe ({ verified, head, overdue, fault }: AuditVerdict, checkpoints: number): string[] {
  return [
    `${verified} events are as they were sealed${head === null ? '' : `; number ${head.seq} has the MAC ${head.mac}`}.`,
    ...(fault === null && checkpoints > 0 ? [`${checkpoints} ${checkpoints === 1 ? 'checkpoint is' : 'checkpoints are'} in the chain.`] : []),
    ...(overdue === 0 ? [] : [`${overdue} events are older than an hour and not sealed: no broker has run since.`])
  ]
}
