// dcr-broker audit list: what was done, the newest first.
import type { AuditFilter, ListedAuditEvent } from '../../administration/audit-port.ts'
import { createAuditBrowser } from '../../store/audit-browser.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { durationOption, guidOption, jsonOption, noArguments, oneOfOption, textOption, wholeNumberOption, type OptionValues } from '../option-values.ts'
import { table } from '../table.ts'

const DEFAULT_LIMIT = 50
const MOST = 1_000

export const auditList: Command = {
  usage: 'audit list [--actor <id>] [--action <word>] [--outcome succeeded|failed] [--registration <id>] [--provider <name>] [--request <id>] [--within <time>] [--limit <n>] [--json]',
  about: 'List audit events, the newest first.',
  options: {
    actor: { type: 'string', about: 'Who acted: id of a caller, broker, cli.' },
    action: { type: 'string', about: 'A part of what was done, e.g. registration.' },
    outcome: { type: 'string', about: 'succeeded or failed.' },
    registration: { type: 'string', about: 'Id of a registration.' },
    provider: { type: 'string', about: 'Name of a provider.' },
    request: { type: 'string', about: 'Id of a request.' },
    within: { type: 'string', about: 'Not older than this, as in 30m, 12h, 30d.' },
    limit: { type: 'string', about: `Most events, up to ${MOST}; ${DEFAULT_LIMIT} if left out.` },
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const filters = filtersOf(values)
    const limit = wholeNumberOption(values, 'limit', MOST) ?? DEFAULT_LIMIT
    const events = await withDatabase(context, prisma =>
      createAuditBrowser(prisma).list({ filters, sort: { field: 'at', descending: true }, after: null, skip: 0, limit }, null))
    if (values.json === true) context.print(JSON.stringify(events.map(documentOf)))
    else {
      table(['AT', 'ACTOR', 'ACTION', 'OUTCOME', 'PROVIDER', 'REGISTRATION', 'REQUEST', 'FROM'], events.map(event => [
        event.at.toISOString(), event.actor, event.action, event.outcome, event.providerName, event.registrationId, event.requestId, event.sourceAddress
      ])).forEach(context.print)
    }
    return 0
  }
}

function filtersOf (values: OptionValues): AuditFilter[] {
  const filters: AuditFilter[] = []
  for (const [name, field] of [['actor', 'actor'], ['provider', 'provider'], ['request', 'requestId']] as const) {
    const value = textOption(values, name)
    if (value !== undefined) filters.push({ field, operator: 'in', values: [value] })
  }
  const action = textOption(values, 'action')
  if (action !== undefined) filters.push({ field: 'action', operator: 'contains', values: [action] })
  if (values.outcome !== undefined) filters.push({ field: 'outcome', operator: 'in', values: [oneOfOption(values, 'outcome', ['succeeded', 'failed'])] })
  if (values.registration !== undefined) filters.push({ field: 'registrationId', operator: 'in', values: [guidOption(values, 'registration')] })
  const withinMs = durationOption(values, 'within')
  if (withinMs !== null) filters.push({ field: 'at', operator: 'gte', time: new Date(Date.now() - withinMs) })
  return filters
}

function documentOf ({ id, at, actor, action, outcome, registrationId, providerName, requestId, sourceAddress, detail, seq }: ListedAuditEvent) {
  return {
    id,
    at: at.toISOString(),
    actor,
    action,
    outcome,
    registration_id: registrationId,
    provider: providerName,
    request_id: requestId,
    source_address: sourceAddress,
    detail,
    seq
  }
}
