// What clients show to gateways, and gateways to the broker: good, wrong, cut, in the wrong place.
import { konnectApplication } from '../../support/broker.ts'
import { FORM, type WatchedBroker } from './watched-broker.ts'

const STRATEGY = 'c0000000-0000-4000-8000-000000000001'
const API = 'api://gateway-v1'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
export const basic = (clientId: string, secret: string) => `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`

export async function gatewayStory (broker: WatchedBroker): Promise<void> {
  const { send, keys, canaries } = broker
  const minted = await send({ method: 'POST', template: '/v2/callers', headers: bearer(keys.operator), body: { kind: 'gateway', name: 'minted gateway', provider: 'default' } })
  const gatewayKeys = [keys.gateway, canaries.add('a minted gateway key', String(minted.body.token))]
  const { clientId, secret, token } = await clientWithToken(broker)
  const verify = async (authorization: string, key: string | null, product = '') => (await send({
    method: 'GET', template: '/verify', query: product, headers: { authorization, ...(key === null ? {} : { 'x-gateway-key': key }) }
  })).status
  const introspect = async (shown: string, authorization: string) => await send({ method: 'POST', template: '/introspect', headers: { authorization }, body: { token: shown }, type: FORM })

  const wrongSecret = canaries.entraSecret('wrong secret shown to a gateway')
  const wrongToken = `${token.slice(0, -20)}${canaries.key('end of a broken token')}`
  canaries.add('a broken token', wrongToken)
  for (const key of [null, ...gatewayKeys]) {
    const statuses = [
      await verify(basic(clientId, secret), key),
      await verify(`Bearer ${token}`, key),
      await verify(basic(clientId, secret), key, '?product=orders'),
      await verify(basic(clientId, wrongSecret), key),
      await verify(`Bearer ${wrongToken}`, key),
      await verify(`Bearer ${secret}`, key),
      await verify(`Digest ${secret}`, key),
      await verify(basic(secret, clientId), key)
    ]
    if (statuses.join() !== '200,200,403,401,401,401,401,401') throw new Error(`/verify answered ${statuses.join()}`)
  }
  for (const key of gatewayKeys) {
    for (const authorization of [`Bearer ${key}`, basic('gateway', key)]) {
      const { body } = await introspect(token, authorization)
      if (body.active !== true) throw new Error('The token is not active')
      for (const shown of [wrongToken, secret, wrongSecret]) await introspect(shown, authorization)
    }
  }
  await introspect(token, `Bearer ${canaries.key('wrong key of a gateway')}`)
  await send({ method: 'POST', template: '/introspect', headers: bearer(keys.gateway), body: `token=${token}&token=${wrongToken}`, type: FORM })
  await send({ method: 'POST', template: '/introspect', headers: bearer(keys.gateway), body: { token } })
}

/** Its strategy demands an audience of which the client has a token. */
async function clientWithToken ({ send, keys, canaries, simulator: { url, tenantId } }: WatchedBroker) {
  const made = await send({
    method: 'POST',
    template: '/v2/application-auth-strategies',
    headers: bearer(keys.operator),
    body: {
      strategy_type: 'openid_connect',
      name: 'of gateways',
      konnect_auth_strategy_id: STRATEGY,
      audience: API,
      configs: { 'openid-connect': { scopes: [], auth_methods: ['client_credentials', 'bearer'], issuer: `https://sts.windows.net/${tenantId}/`, credential_claim: ['appid'] } }
    }
  })
  if (made.status !== 201) throw new Error(`The strategy was not made: ${JSON.stringify(made.body)}`)
  const { body } = await send({
    method: 'POST', template: '/konnect', headers: { 'x-api-key': keys.konnect }, body: konnectApplication({ client_name: 'behind a gateway', auth_strategy_id: STRATEGY })
  })
  const [clientId, secret] = [String(body.client_id), canaries.add('secret shown to a gateway', String(body.client_secret))]
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret, resource: API }
  const answer = await fetch(`${url}/${tenantId}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })
  return { clientId, secret, token: canaries.add('token shown to a gateway', (await answer.json() as { access_token: string }).access_token) }
}
