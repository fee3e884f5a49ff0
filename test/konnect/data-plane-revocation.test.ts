// What becomes of secrets and clients that are gone, at a gateway: Basic ends when Entra has forgotten them and the cached token has ended,
// Bearer when the token has ended, both at once when Konnect takes the application away.
import t from 'tap'
import { basic, bearer, startBehindAGateway, type Client, type GatewayStage } from './behind-a-gateway.ts'

/** Entra: a token lives 60 to 90 minutes. */
const LONGEST_LIFE_S = 90 * 60

async function clientBehind (stage: GatewayStage, members: Record<string, unknown> = {}) {
  const { konnectId, config } = await stage.linked(stage.strategyFor(1, {}, members))
  const client = await stage.registered(konnectId)
  const applications = new Set([client.clientId])
  return { client, applications, gateway: stage.plane(config, applications), token: await stage.tokenOf(client, 1, { resource: stage.apis[1].uri }) }
}

async function rotated ({ konnect }: GatewayStage, { clientId }: Client): Promise<Client> {
  const { status, body } = await konnect('POST', `/${clientId}/new-secret`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return { clientId, clientSecret: body.client_secret }
}

/** For an operator: Konnect hears nothing of what he does. */
async function registrationOf ({ operations }: GatewayStage, { clientId }: Client): Promise<string> {
  return (await operations('GET', `/registrations?filter[client_id][eq]=${clientId}`)).body.data[0].id
}

t.test('with cache_tokens off a rotated secret is refused as soon as Entra has forgotten it, and the new one works from the answer on', async t => {
  const stage = await startBehindAGateway(t)
  const { client, gateway } = await clientBehind(stage, { cache_tokens: false })
  t.match(await gateway.handle(basic(client)), { status: 200 })
  stage.simulator.control.lag({ secretDelayMs: 200, secretLingerMs: 30_000 })
  const renewed = await rotated(stage, client)
  t.match(await gateway.handle(basic(renewed)), { status: 200, clientId: client.clientId })
  t.match(await gateway.handle(basic(client)), { status: 200 }, 'Entra still takes it')
  stage.pass(31)
  t.match(await gateway.handle(basic(client)), { status: 401, reason: /^AADSTS7000215/ })
  t.match(await gateway.handle(basic(renewed)), { status: 200 })
})

t.test('with tokens cached, as Kong does by default, a rotated secret that was used works until the cached token ends, or cache_ttl_max', async t => {
  const stage = await startBehindAGateway(t)
  for (const [members, seconds] of [[{ cache_ttl_max: 300 }, 300], [{}, LONGEST_LIFE_S]] as const) {
    const { client, gateway } = await clientBehind(stage, members)
    t.match(await gateway.handle(basic(client)), { status: 200 })
    const renewed = await rotated(stage, client)
    t.match(await gateway.handle(basic(client)), { status: 200 }, 'Entra is not asked')
    t.match(await gateway.handle(basic(renewed)), { status: 200 }, 'the new one works beside it')
    stage.pass(seconds + 1)
    t.match(await gateway.handle(basic(client)), { status: 401, reason: /^AADSTS7000215/ })
  }
})

t.test('a client that is deleted here while Konnect keeps its application: Basic is refused, Bearer is taken until the token ends', async t => {
  const stage = await startBehindAGateway(t)
  const { client, gateway, token } = await clientBehind(stage, { cache_tokens: false })
  const id = await registrationOf(stage, client)
  t.equal((await stage.operations('DELETE', `/registrations/${id}`)).status, 204)
  t.match(await gateway.handle(basic(client)), { status: 401, reason: /^AADSTS700016/ })
  t.match(await gateway.handle(bearer(token)), { status: 200, clientId: client.clientId }, 'a gateway that only looks at the token can\'t know')
  stage.pass(LONGEST_LIFE_S + 1)
  t.match(await gateway.handle(bearer(token)), { status: 401, reason: 'the token has ended' })
})

t.test('a client that is disabled here: the same, and Basic works again when it is enabled', async t => {
  const stage = await startBehindAGateway(t)
  const { client, gateway, token } = await clientBehind(stage, { cache_tokens: false })
  const id = await registrationOf(stage, client)
  t.equal((await stage.operations('POST', `/registrations/${id}/disable`, { reason: 'left the company' })).status, 200)
  t.match(await gateway.handle(basic(client)), { status: 401, reason: /^AADSTS7000112/ })
  t.match(await gateway.handle(bearer(token)), { status: 200, clientId: client.clientId })
  t.equal((await stage.operations('POST', `/registrations/${id}/enable`)).status, 200)
  t.match(await gateway.handle(basic(client)), { status: 200, clientId: client.clientId })
})

t.test('a client that Konnect deletes is refused with everything it has as soon as the gateway no longer has its application', async t => {
  const stage = await startBehindAGateway(t)
  const { client, gateway, token, applications } = await clientBehind(stage)
  t.match(await gateway.handle(basic(client)), { status: 200 })
  t.equal((await stage.konnect('DELETE', `/${client.clientId}`)).status, 204)
  t.match(await gateway.handle(basic(client)), { status: 200 }, 'from the cache')
  applications.delete(client.clientId)
  for (const request of [basic(client), bearer(token)]) {
    t.match(await gateway.handle(request), { status: 401, reason: `no application has the client id ${client.clientId}` })
  }
})
