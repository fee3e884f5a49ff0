// What goes wrong behind the routes: Graph and the token endpoint that quote secrets, lost answers, a database that is away, packets that are no HTTP.
import { connect } from 'node:net'
import { konnectApplication } from '../../support/broker.ts'
import { eventually } from '../../support/eventually.ts'
import { serviceClient } from '../../register/prepared-broker.ts'
import { basic } from './gateway-story.ts'
import { FORM, type WatchedBroker } from './watched-broker.ts'

const NOBODY = '01a20951-0000-4000-8000-000000000009'
const UPSTREAM = 'words of Microsoft'

/** Also what no answer may repeat. */
export const upstreamWords = [UPSTREAM, 'AADSTS', 'ECONNRESET', 'ECONNREFUSED', 'Prisma', 'P1001', '57P01', 'node_modules', 'src/', '.js:', '.ts:', ' at async ']

/** A body of Graph that quotes what it was sent, and what it was about to answer. */
function quoting (canaries: WatchedBroker['canaries']): object {
  const jwt = `eyJ0eXAiOiJKV1QifQ.${Buffer.from(canaries.key('a claim of a quoted token')).toString('base64url')}.${'c'.repeat(40)}`
  canaries.add('quoted token', jwt)
  const quoted = [`Bearer ${jwt}`, `token '${jwt}'`, `"secretText":"${canaries.entraSecret('quoted secretText')}"`, `value ${canaries.entraSecret('quoted secret')} is weak`]
  const message = `${UPSTREAM}: ${quoted.join(' ')}`
  return { error: { code: 'Request_BadRequest', message, details: [{ code: 'Other', message }], innerError: { authorization: `Bearer ${jwt}` } } }
}

export async function brokenGraph (broker: WatchedBroker): Promise<void> {
  const { simulator: { control: { faults } }, send, keys, canaries } = broker
  const create = async (name: string) => await send({
    method: 'POST', template: '/konnect', headers: { 'x-api-key': keys.konnect }, body: konnectApplication({ client_name: name })
  })
  for (const status of [400, 403, 409, 500]) {
    faults.add({ match: { method: 'POST', path: 'addPassword$' }, action: { type: 'status', status, body: quoting(canaries) } })
    const answer = await create(`Graph says ${status}`)
    if (typeof answer.body.client_secret === 'string') canaries.add(`secret after ${status}`, answer.body.client_secret)
  }
  for (const action of [{ type: 'reset' }, { type: 'truncate' }] as const) {
    faults.add({ match: { method: 'POST', path: 'addPassword$' }, action, when: 'after' })
    const answer = await create(`Graph ends with ${action.type}`)
    canaries.add(`secret after ${action.type}`, answer.body.client_secret)
  }
  faults.add({ match: { method: 'PATCH', path: 'applications' }, action: { type: 'status', status: 401, body: quoting(canaries) } })
  const retried = await send({ method: 'POST', template: '/register', headers: { authorization: `Bearer ${keys.registrant}` }, body: serviceClient() })
  for (const member of ['client_secret', 'registration_access_token']) canaries.add(`${member} after a 401`, retried.body[member] ?? null)
  faults.clear()
}

/** The broker asks for a token when a provider is verified. */
export async function brokenTokenEndpoint (broker: WatchedBroker): Promise<void> {
  const { simulator: { control: { faults }, broker: { clientSecret } }, send, keys, canaries } = broker
  const headers = { authorization: `Bearer ${keys.operator}` }
  const { body } = await send({ method: 'GET', template: '/v2/dcr-providers', query: '?filter[origin]=environment', headers })
  const params = { id: String(body.data[0].id) }
  for (const [status, code] of [[401, 7000215], [400, 700016], [503, 90033]] as const) {
    const description = `AADSTS${code}: ${UPSTREAM}. The secret ${clientSecret} of ${canaries.key('quoted assertion')} is not accepted.`
    const said = { error: 'invalid_client', error_description: description, error_codes: [code], trace_id: 'a', correlation_id: 'b' }
    faults.add({ match: { method: 'POST', path: '/oauth2/v2.0/token$', times: 2 }, action: { type: 'status', status, body: said } })
    await send({ method: 'POST', template: '/v2/dcr-providers/:id/verify', params, headers })
    faults.clear()
  }
}

export async function databaseAway (broker: WatchedBroker): Promise<void> {
  const { proxy, send, keys, canaries } = broker
  proxy.away()
  const body = konnectApplication({ client_secret: canaries.key('sent while the database is away') })
  const calls = [
    send({ method: 'POST', template: '/konnect', headers: { 'x-api-key': keys.konnect }, body }),
    send({ method: 'POST', template: '/konnect', headers: { 'x-api-key': canaries.key('unknown key while the database is away') }, body }),
    send({ method: 'POST', template: '/register', headers: { authorization: `Bearer ${canaries.key('unknown token while the database is away')}` }, body: serviceClient() }),
    send({ method: 'GET', template: '/v2/dcr-providers', headers: { authorization: `Bearer ${keys.operator}` } }),
    send({ method: 'GET', template: '/verify', headers: { authorization: basic(NOBODY, canaries.key('secret shown while the database is away')) } }),
    send({ method: 'POST', template: '/introspect', headers: { authorization: `Bearer ${canaries.key('unknown gateway key while the database is away')}` }, body: { token: 'x' }, type: FORM }),
    send({ method: 'GET', template: '/readyz', listener: 'operations' })
  ]
  const statuses = (await Promise.all(calls)).map(({ status }) => status)
  if (!statuses.every(status => status >= 400)) throw new Error(`The database is away, and the answers are ${statuses.join()}`)
  proxy.back()
  await eventually('the database is back', async () => (await send({ method: 'GET', template: '/readyz', listener: 'operations' })).status === 200, 30_000)
}

/** What Node's parser or the router refuses, keys and all. */
export async function brokenPackets (broker: WatchedBroker): Promise<void> {
  const key = broker.canaries.key('key in a packet')
  const packets = [
    `GET / HTTP/1.1\r\nhost: a\r\nx-api-key: ${key}\r\nbad header: ${key}\r\n\r\n`,
    `${key}\r\n\r\n`,
    `GET /%zz/${key} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\n\r\n`,
    `GET /konnect HTTP/1.1\r\nhost: a\r\nx-api-key: ${`${key} `.repeat(2_000)}\r\n\r\n`,
    `POST /konnect HTTP/1.1\r\nhost: a\r\nx-api-key: ${key}\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n${key}`,
    `POST /konnect HTTP/1.1\r\nhost: a\r\nx-api-key: ${broker.keys.konnect}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz${key}\r\n`,
    `GET /verify HTTP/1.1\r\nhost: a\r\nx-gateway-key: ${key}\r\nauthorization: Basic ${Buffer.from(`a:${key}`).toString('base64')}\r\nauthorization: Bearer ${key}\r\n\r\n`,
    `BREW /${key} HTTP/1.1\r\nhost: a\r\nx-api-key: ${key}\r\n\r\n`
  ]
  for (const base of Object.values(broker.bases)) {
    for (const packet of packets) {
      const answer = await exchange(Number(new URL(base).port), packet)
      broker.failures.push(answer)
      broker.haystacks.push({ name: 'answer to a packet', bytes: Buffer.from(answer) })
    }
  }
}

async function exchange (port: number, packet: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.end(packet))
    socket.setEncoding('utf8').on('data', (text: string) => { answer += text }).on('close', () => resolve(answer)).on('error', reject)
  })
}
