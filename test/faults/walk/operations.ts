// What callers and operators do during a walk. Each operation ends with a word for the tally; what no caller should be told is a complaint.
import { setTimeout as delay } from 'node:timers/promises'
import { INITIAL_ACCESS_TOKEN, konnectApplication, OPERATOR_KEY, request, type Answer } from '../../support/broker.ts'
import type { BrokerProcess } from '../../support/broker-process.ts'
import type { Chance } from '../chance.ts'
import type { Cluster } from '../cluster.ts'
import type { WalkClient, WalkClients } from './clients.ts'

export interface WalkWorld {
  cluster: Cluster
  clients: WalkClients
  /** Base of a replica's operations listener. */
  operationsUrl (replica: BrokerProcess): string
  complain (sentence: string): void
}

export type Operation = keyof typeof WEIGHTS

export const WEIGHTS = {
  create: 18, register: 12, rotate: 14, 'add secret': 6, 'revoke secret': 4, update: 12, delete: 9, read: 5, replace: 8, unregister: 4, disable: 4, enable: 4
}

/** Of answers that are expected whatever happens: the work goes on, or somebody else is at it. */
const BUSY = 503

type Send = () => Promise<Answer>

export async function perform (world: WalkWorld, operation: Operation, name: string, chance: Chance): Promise<string> {
  if (operation === 'create') return await create(world, name, chance)
  if (operation === 'register') return await register(world, name, chance)
  const surface = ['read', 'replace', 'unregister'].includes(operation) ? 'register' : ['disable', 'enable'].includes(operation) ? undefined : 'konnect'
  const choosable = world.clients.choosable(surface)
  if (choosable.length === 0) return await (surface === 'register' ? register : create)(world, name, chance)
  const client = chance.pick(choosable)
  // Konnect may do two things to one client at once. Who manages his own client has one token, and uses it in turn.
  client.isTaken = client.surface === 'register' || chance.happens(0.8)
  try {
    if (operation === 'disable') client.mayBeDisabled = true
    if (operation === 'delete' || operation === 'unregister') client.mayBeDeleted = true
    const answer = await patiently(chance, () => ask(world, operation, client, chance))
    return judge(world, operation, client, answer)
  } finally {
    client.isTaken = false
  }
}

async function create (world: WalkWorld, name: string, chance: Chance): Promise<string> {
  const { cluster, clients, complain } = world
  const document = konnectApplication({ client_name: name, ...chance.happens(0.1) ? { portal_id: 'test portal_id' } : {} })
  const answer = await patiently(chance, () => cluster.konnect(anyReplica(cluster, chance), 'POST', '', document))
  if (answer?.status === 201) clients.add({ surface: 'konnect', clientId: answer.body.client_id, name })
  return word(answer, 201, () => complain(`create of ${name}: ${said(answer)}`))
}

async function register (world: WalkWorld, name: string, chance: Chance): Promise<string> {
  const { cluster, clients, complain } = world
  const document = { client_name: name, redirect_uris: ['https://walk.example.com/callback'], token_endpoint_auth_method: chance.pick(['client_secret_basic', 'client_secret_post', 'none']) }
  const key: Record<string, string> = chance.happens(0.5) ? { 'idempotency-key': `key of ${name}` } : {}
  const send = (): Promise<Answer> => cluster.ledger.record('POST', '/register', () => request(
    `${anyReplica(cluster, chance).url}/register`, 'POST', document, { authorization: `Bearer ${INITIAL_ACCESS_TOKEN}`, ...key }))
  const answer = await patiently(chance, send, [BUSY, 409])
  if (answer?.status !== 201) return word(answer?.status === 409 && 'idempotency-key' in key ? { ...answer, status: BUSY } : answer, 201, () => complain(`register of ${name}: ${said(answer)}`))
  if ('idempotency-key' in key && chance.happens(0.5)) {
    const replayed = await orNull(send())
    if (replayed?.status === 201 && replayed.body.client_id !== answer.body.client_id) complain(`register of ${name}: its key was answered with another client`)
    if (replayed !== null && ![201, 409, BUSY].includes(replayed.status)) complain(`register of ${name}, again: ${said(replayed)}`)
  }
  const { client_id: clientId, registration_access_token: token, registration_client_uri: uri } = answer.body
  clients.add({ surface: 'register', clientId, name, token, path: new URL(uri).pathname })
  return 'done'
}

async function ask (world: WalkWorld, operation: Operation, client: WalkClient, chance: Chance): Promise<Answer> {
  const { cluster } = world
  const { clientId, name, token, path } = client
  const replica = anyReplica(cluster, chance)
  const konnect = async (method: string, rest: string, body?: unknown) => await cluster.konnect(replica, method, `/${clientId}${rest}`, body)
  const manage = async (method: string, body?: unknown) => await cluster.ledger.record(method, path, () =>
    request(`${replica.url}${path}`, method, body, { authorization: `Bearer ${token}` }))
  switch (operation) {
    case 'rotate': return await konnect('POST', '/new-secret')
    case 'add secret': return await konnect('POST', '/secrets')
    case 'revoke secret': return await konnect('DELETE', `/secrets/${client.secretIds.at(-1) ?? '00000000-0000-4000-8000-000000000000'}`)
    case 'update': return await konnect('POST', '/event-hook', {
      event_type: 'update_application', client_id: clientId, application_name: `${name}, changed ${chance.between(1, 1_000)}`, redirect_uris: ['https://walk.example.com/changed']
    })
    case 'delete': return await konnect('DELETE', '')
    case 'read': return await manage('GET')
    case 'replace': return await manage('PUT', {
      client_id: clientId, client_name: `${name}, replaced ${chance.between(1, 1_000)}`, redirect_uris: ['https://walk.example.com/replaced']
    })
    case 'unregister': return await manage('DELETE')
    case 'disable':
    case 'enable': {
      const { rows: [row] } = await cluster.database.query<{ id: string }>('SELECT id FROM registration WHERE client_id = $1', [clientId])
      return await cluster.ledger.record('POST', `/v2/${operation}/${clientId}`, () => request(
        `${world.operationsUrl(replica)}/v2/registrations/${row?.id}/${operation}`, 'POST', undefined, { authorization: `Bearer ${OPERATOR_KEY}` }))
    }
    default: throw new Error(`Nobody asks for ${operation} like this`)
  }
}

function judge ({ complain }: WalkWorld, operation: Operation, client: WalkClient, answer: Answer | null): string {
  const body = answer?.body
  if (operation === 'add secret' && answer?.status === 201) client.secretIds.push(body.secret_id)
  if (operation === 'revoke secret' && answer?.status === 204) client.secretIds.pop()
  if (typeof body?.registration_access_token === 'string') client.token = body.registration_access_token
  const expected = operation === 'add secret' ? 201 : ['delete', 'unregister', 'revoke secret'].includes(operation) ? 204 : 200
  const isRefused = answer !== null && answer.status !== expected && refusals(operation, client).includes(answer.status)
  return isRefused ? `refused ${answer.status}` : word(answer, expected, () => complain(`${operation} of ${client.name}: ${said(answer)}`))
}

/** What is a fair answer to a client in this condition. */
function refusals (operation: Operation, { surface, mayBeDeleted, mayBeDisabled, secretIds }: WalkClient): number[] {
  return [
    ...mayBeDeleted ? [404, ...surface === 'register' ? [401] : [], ...['disable', 'enable'].includes(operation) ? [409] : []] : [],
    ...mayBeDisabled ? [403, 409] : [],
    // The id of a secret that is gone, or whose answer was lost.
    ...operation === 'revoke secret' ? [404, ...secretIds.length === 0 ? [400] : []] : []
  ]
}

/** Comes again while it is told to, or hears nothing, as often as chance has it. Null: no answer. */
async function patiently (chance: Chance, send: Send, again: readonly number[] = [BUSY]): Promise<Answer | null> {
  const tries = chance.weighted({ 1: 3, 3: 3, 12: 4 })
  let answer: Answer | null = null
  for (let left = Number(tries); left > 0; left--) {
    answer = await orNull(send())
    if (answer !== null && !again.includes(answer.status)) return answer
    if (left > 1) await delay(chance.between(200, 1_200))
  }
  return answer
}

function word (answer: Answer | null, expected: number, complain: () => void): string {
  if (answer === null) return 'no answer'
  if (answer.status === expected) return 'done'
  if (answer.status === BUSY) return 'refused 503'
  complain()
  return `wrong ${answer.status}`
}

function said (answer: Answer | null): string {
  return `${answer?.status} ${JSON.stringify(answer?.body)}`
}

function anyReplica ({ replicas }: Cluster, chance: Chance): BrokerProcess {
  const running = replicas.filter(replica => replica.isRunning())
  return chance.pick(running.length > 0 ? running : replicas)
}

async function orNull (answer: Promise<Answer>): Promise<Answer | null> {
  return await answer.catch(() => null)
}
