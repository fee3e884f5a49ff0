// A replica with its own ways to Graph and to PostgreSQL, so that a registration can be stopped in a chosen gap of a create there.
import type { BrokerProcess } from '../support/broker-process.ts'
import { startPostgresProxy, type PostgresProxy, type SentStatement } from '../support/postgres-proxy.ts'
import type { Gap } from '../faults/gaps.ts'
import type { Teardowns } from '../faults/program.ts'
import { ADD_PASSWORD, APPLICATION, MARK, PRINCIPAL, RESERVE } from '../faults/stops.ts'
import { startGateway, type CallStop, type Gateway } from './gateway.ts'

export interface Lane {
  gateway: Gateway
  proxy: PostgresProxy
  /** Resolves when the registration of this client stands in the gap. */
  standsIn (gap: Gap, clientName: string): Promise<void>
  /** What nobody has reached stops nobody any more. */
  forget (): void
}

export async function openLane (t: Teardowns, databaseUrl: string): Promise<Lane> {
  const gateway = await startGateway(t)
  /** Told of a registration's id as soon as its row is there; before its broker is. */
  const awaited = new Map<string, (id: string) => void>()
  const proxy = await startPostgresProxy(t, databaseUrl, statement => {
    const { id, client_name: name } = reservedBy(statement) ?? {}
    if (id === undefined || name === undefined) return
    awaited.get(name)?.(id)
    awaited.delete(name)
  })
  return {
    gateway,
    proxy,
    async standsIn ({ stop, answered }, clientName) {
      if ('fault' in stop) return await gateway.stop({ clientName, call: callOf(stop.fault.match.path), when: stop.fault.when ?? 'before' })
      if (!answered) return await proxy.hold({ ...stop.statement, parameters: exactly(clientName) })
      // A mark names no client, only its row.
      await new Promise<void>((resolve, reject) => {
        awaited.set(clientName, id => { proxy.hold({ statement: MARK, side: 'before', parameters: exactly(id) }).then(resolve, reject) })
      })
    },
    forget () {
      gateway.forget()
      proxy.forget()
      awaited.clear()
    }
  }
}

export interface ReplicaInLane {
  name: string
  process: BrokerProcess
  lane: Lane
}

function callOf (path?: string): CallStop['call'] {
  if (path === APPLICATION.path) return 'application'
  if (path === PRINCIPAL.path) return 'principal'
  if (path === ADD_PASSWORD.path) return 'password'
  throw new Error(`No gap is at ${path}`)
}

function exactly (text: string): RegExp {
  return new RegExp(`${text.replaceAll('.', '\\.')}(?!\\w)`)
}

function reservedBy ({ text, parameters }: SentStatement): { id?: string, client_name?: string } | null {
  if (!RESERVE.test(text)) return null
  const row = parameters.find(parameter => typeof parameter === 'string' && parameter.includes('"client_name"'))
  return typeof row === 'string' ? JSON.parse(row) as { id?: string, client_name?: string } : null
}
