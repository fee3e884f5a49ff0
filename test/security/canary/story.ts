// Every way in which a secret is handed over or taken in, and every way in which that can go wrong further in.
import type { Test } from 'tap'
import { startSimulator } from '../../../src/simulator/simulator.ts'
import { selfSigned } from '../../entra/self-signed.ts'
import { konnectApplication, type Answer } from '../../support/broker.ts'
import { serviceClient, webClient } from '../../register/prepared-broker.ts'
import { serviceToken, type WatchedBroker } from './watched-broker.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Whatever its answer hands over is a canary from now on. */
function remember ({ canaries }: WatchedBroker, name: string, answer: Answer): Answer {
  const { body } = answer
  for (const member of ['client_secret', 'registration_access_token', 'token']) {
    if (typeof body?.[member] === 'string') canaries.add(`${member} of ${name}`, body[member])
  }
  return { ...answer, body: body ?? {} }
}

/** @returns ids of what it has left */
export async function konnectStory (broker: WatchedBroker): Promise<{ clientId: string }> {
  const { send, keys, canaries } = broker
  const headers = { 'x-api-key': keys.konnect }
  const key = await mint(broker, 'konnect')
  await send({ method: 'POST', template: '/konnect', headers: { 'x-api-key': key }, body: konnectApplication({ client_name: 'minted' }) })
    .then(answer => remember(broker, 'a client of a minted key', answer))
  const made = remember(broker, 'Konnect\'s create', await send({
    method: 'POST', template: '/konnect', headers, body: konnectApplication({ api_key: canaries.key('unknown member'), client_secret: canaries.key('secret that nobody asked for') })
  }))
  const params = { clientId: made.body.client_id as string }
  const on = async (method: string, rest: string, body?: unknown) => await send({ method, template: `/konnect/:clientId${rest}`, params, headers, body })
  remember(broker, 'new-secret', await on('POST', '/new-secret'))
  const added = remember(broker, 'secrets', await on('POST', '/secrets', {}))
  await on('GET', '/secrets')
  await on('POST', '/event-hook', { event_type: 'update_application', application_name: 'Orders', token: canaries.key('unknown member of an event') })
  const secretId = String(added.body.secret_id ?? '')
  await send({ method: 'DELETE', template: '/konnect/:clientId/secrets/:secretId', params: { ...params, secretId }, headers })
  return params
}

/** @returns the registration access token that is good now */
export async function standardStory (broker: WatchedBroker): Promise<string> {
  const { send, keys, canaries } = broker
  const minted = await mint(broker, 'initial_access_token')
  const service = await mint(broker, 'service')
  for (const [name, token] of [['minted token', minted], ['token of Entra', await serviceToken(broker)], ['service', service]] as const) {
    const body = serviceClient({ client_secret: canaries.key(`secret chosen by a client (${name})`) })
    remember(broker, `a client of a ${name}`, await send({ method: 'POST', template: '/register', headers: bearer(token), body }))
  }
  const own = await send({ method: 'GET', template: '/v2/registrations', headers: bearer(service) })
  const id = String(own.body.data?.[0]?.id ?? '')
  remember(broker, 'own rotation', await send({ method: 'POST', template: '/v2/registrations/:id/rotate', params: { id }, headers: bearer(service) }))

  const idempotent = { ...bearer(keys.registrant), 'idempotency-key': canaries.key('used idempotency key') }
  const first = remember(broker, 'a client of the standard', await send({ method: 'POST', template: '/register', headers: idempotent, body: webClient() }))
  await send({ method: 'POST', template: '/register', headers: idempotent, body: webClient() })
  await send({ method: 'POST', template: '/register', headers: idempotent, body: webClient({ client_name: 'Another' }) })
  const params = { clientId: String(first.body.client_id) }
  const [token, secret] = [String(first.body.registration_access_token), String(first.body.client_secret)]
  await send({ method: 'GET', template: '/register/:clientId', params, headers: bearer(token) })
  const put = async (body: object) => await send({ method: 'PUT', template: '/register/:clientId', params, headers: bearer(token), body })
  await put(webClient({ client_id: params.clientId, client_secret: canaries.key('wrong secret in PUT') }))
  const changed = remember(broker, 'PUT', await put(webClient({ client_id: params.clientId, client_secret: secret, client_name: 'Changed' })))
  return String(changed.body.registration_access_token)
}

export async function operatorStory (t: Test, broker: WatchedBroker): Promise<void> {
  const { send, keys, canaries } = broker
  const headers = bearer(keys.operator)
  await mint(broker, 'operator')
  const list = await send({ method: 'GET', template: '/v2/registrations', headers, listener: 'operations' })
  const row = list.body.data.find(({ state }: { state: string }) => state === 'active')
  const params = { id: String(row.id) }
  remember(broker, 'an operator\'s rotation', await send({ method: 'POST', template: '/v2/registrations/:id/rotate', params, headers, listener: 'operations' }))
  const lines = [{ key: 'one', document: serviceClient({ client_name: 'Imported' }) }, { document: { client_secret: canaries.key('secret in an import') } }]
  const body = [...lines.map(line => JSON.stringify(line)), `{"client_secret":"${canaries.key('broken line of an import')}`].join('\n')
  const imported = await send({ method: 'POST', template: '/v2/registrations/import', headers, body, type: 'application/x-ndjson' })
  remember(broker, 'an import', imported)
  await providerStory(t, broker)
}

/** The tenant's credentials: good ones, a wrong one, and one that is refused. */
async function providerStory (t: Test, broker: WatchedBroker): Promise<void> {
  const { send, keys, canaries } = broker
  const headers = bearer(keys.operator)
  const second = await startSimulator()
  t.teardown(() => second.close())
  const { clientId, clientSecret } = second.broker
  canaries.add('initial client secret', clientSecret)
  const [first, next] = [selfSigned(), selfSigned()]
  for (const { key } of [first, next]) canaries.privateKey('private key', key)
  const create = async (name: string, config: object) => await send({
    method: 'POST',
    template: '/v2/dcr-providers',
    headers: { ...headers, 'idempotency-key': canaries.key(`idempotency key of ${name}`) },
    body: { provider_type: 'azureAd', name, issuer: `${second.url}/${second.tenantId}/v2.0`, dcr_config: { initial_client_id: clientId, ...config } }
  })
  const verify = async (id: string) => await send({ method: 'POST', template: '/v2/dcr-providers/:id/verify', params: { id }, headers })
  const good = String((await create('good', { initial_client_secret: clientSecret })).body.id)
  await verify(good)
  const wrong = String((await create('wrong', { initial_client_secret: canaries.entraSecret('wrong initial client secret') })).body.id)
  await verify(wrong)
  await create('certified', { initial_client_certificate: first.key + first.certificate })
  await create('broken', { initial_client_certificate: `-----BEGIN PRIVATE KEY-----\n${canaries.key('no key')}\n-----END PRIVATE KEY-----` })
  const change = async (config: object) => await send({ method: 'PATCH', template: '/v2/dcr-providers/:id', params: { id: good }, headers, body: { dcr_config: config } })
  await change({ initial_client_secret: canaries.entraSecret('changed client secret') })
  await change({ initial_client_certificate: next.key + next.certificate })
  const credential = { template: '/v2/dcr-providers/:id/credentials', params: { id: wrong }, headers }
  const added = await send({ method: 'POST', ...credential, body: { kind: 'secret', secret: canaries.entraSecret('standby secret') } })
  await send({ method: 'POST', ...credential, body: { kind: 'certificate', certificate: first.key + next.certificate } })
  await send({ method: 'POST', ...credential, body: { kind: 'certificate', certificate: next.key + next.certificate } })
  const params = { id: wrong, credentialId: String(added.body.id) }
  for (const what of ['verify', 'activate']) await send({ method: 'POST', template: `${credential.template}/:credentialId/${what}`, params, headers })
  await send({ method: 'GET', template: '/v2/dcr-providers/:id', params: { id: good }, headers })
}

async function mint (broker: WatchedBroker, kind: string): Promise<string> {
  const { send, keys } = broker
  const scopes = kind === 'service' ? ['register', 'read', 'rotate', 'delete'] : undefined
  const provider = kind === 'operator' ? {} : { provider: 'default' }
  const answer = await send({ method: 'POST', template: '/v2/callers', headers: bearer(keys.operator), body: { kind, name: `minted ${kind}`, scopes, ...provider } })
  if (answer.status !== 201) throw new Error(`${kind}: ${JSON.stringify(answer.body)}`)
  return String(remember(broker, `a minted ${kind}`, answer).body.token)
}
