// From an operator's strategy to a request at a gateway: a broker and its tenant, Konnect's JSON from the operations API, clients from the
// bridge, and a data plane that has nothing else than the two.
import type { Test } from 'tap'
import { createDataPlane, type ClientRequest, type DataPlane } from '../support/konnect-data-plane.ts'
import { konnectApplication, OPERATOR_KEY, request, startTestBroker, type Answer, type TestBroker } from '../support/broker.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'

export interface Client { clientId: string, clientSecret: string }
export type PluginMembers = Record<string, unknown>

export interface GatewayStage extends TestBroker {
  /** APIs whose manifests ask for v1 and for v2 tokens. */
  apis: Record<1 | 2, { uri: string, appId: string }>
  /** A body for the operations API: the form that works, with changes. */
  strategyFor (version: 1 | 2, changes?: object, members?: PluginMembers): Record<string, any>
  operations (method: string, path: string, body?: unknown): Promise<Answer>
  /** Makes the strategy and gets its JSON as Konnect does. */
  linked (strategy: object): Promise<{ id: string, konnectId: string, config: PluginMembers, warnings: string[] }>
  /** Konnect makes an application under a linked strategy. */
  registered (konnectId: string): Promise<Client>
  /** What the token endpoint answers a client that asks by itself. */
  tokenOf (client: Client, version: 1 | 2, asked: Record<string, string>): Promise<string>
  /** @param applications Konnect may take some away later, from a set */
  plane (config: PluginMembers, applications: string[] | ReadonlySet<string>): DataPlane
  /** Of the tenant and of the gateway; the broker keeps the machine's. */
  pass (seconds: number): void
}

export async function startBehindAGateway (t: Test): Promise<GatewayStage> {
  let aheadMs = 0
  const nowMs = () => Date.now() + aheadMs
  const broker = await startTestBroker(t, { simulator: { now: nowMs } })
  const { simulator, operationsUrl, konnect } = broker
  const [v1, v2] = [1, 2].map(version => {
    const uri = `api://orders-v${version}`
    const { appId } = simulator.control.addResource({ displayName: uri, identifierUris: [uri], requestedAccessTokenVersion: version as 1 | 2 })
    return { uri, appId }
  }) as [{ uri: string, appId: string }, { uri: string, appId: string }]
  const apis = { 1: v1, 2: v2 }
  let strategies = 0

  const strategyFor: GatewayStage['strategyFor'] = (version, changes = {}, members = {}) => {
    const { uri, appId } = apis[version]
    const common = { auth_methods: ['client_credentials', 'bearer'] }
    const form = version === 1
      ? { issuer: `https://sts.windows.net/${simulator.tenantId}/`, credential_claim: ['appid'], scopes: [], ...common }
      : { issuer: `https://login.microsoftonline.com/${simulator.tenantId}/v2.0`, credential_claim: ['azp'], scopes: [`${uri}/.default`], ...common }
    const audience = version === 1 ? { audience: uri } : { audience: appId, resource_app_id: appId }
    return { name: `strategy ${++strategies}`, strategy_type: 'openid_connect', configs: { 'openid-connect': { ...form, ...members } }, ...audience, ...changes }
  }
  const operations: GatewayStage['operations'] = async (method, path, body) =>
    await request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })

  return {
    ...broker,
    apis,
    strategyFor,
    operations,
    async linked (strategy) {
      const konnectId = `konnect-${++strategies}`
      const made = await operations('POST', '/application-auth-strategies', { ...strategy, konnect_auth_strategy_id: konnectId })
      if (made.status !== 201) throw new Error(JSON.stringify(made.body))
      const { body } = await operations('GET', `/application-auth-strategies/${made.body.id}/konnect`)
      return { id: made.body.id, konnectId, config: body.configs['openid-connect'], warnings: made.body.warnings }
    },
    async registered (konnectId) {
      const { status, body } = await konnect('POST', '', konnectApplication({ client_name: `client ${++strategies}`, auth_strategy_id: konnectId }))
      if (status !== 201) throw new Error(JSON.stringify(body))
      return { clientId: body.client_id, clientSecret: body.client_secret }
    },
    async tokenOf ({ clientId, clientSecret }, version, asked) {
      const answer = await request(`${simulator.url}/${simulator.tenantId}/oauth2/${version === 1 ? '' : 'v2.0/'}token`, 'POST',
        new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...asked }).toString(),
        { 'content-type': 'application/x-www-form-urlencoded' })
      if (answer.status !== 200) throw new Error(answer.body.error_description)
      return answer.body.access_token
    },
    plane: (config, given) => {
      const applications = Array.isArray(given) ? new Set(given) : given
      return createDataPlane({ config, applications, resolve: entraAt(simulator), nowMs })
    },
    pass: seconds => { aheadMs += seconds * 1000 }
  }
}

export const basic = ({ clientId, clientSecret }: Client): ClientRequest =>
  ({ headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` } })

export const bearer = (token: string): ClientRequest => ({ headers: { authorization: `Bearer ${token}` } })

/**
 * Entra's public hosts lead to the simulator, as a hosts file would lead there, and https becomes plain http on loopback: certificates are
 * not what is tried here. The JSON, the issuers in it and those in documents and tokens stay Entra's own. Nothing else may be asked.
 */
function entraAt ({ url }: Simulator): (url: URL) => URL {
  const hosts = ['sts.windows.net', 'login.microsoftonline.com']
  return asked => {
    if (asked.origin === url) return asked
    if (asked.protocol !== 'https:' || !hosts.includes(asked.host)) throw new Error(`A gateway of Entra's clients has nothing to ask at ${asked.href}`)
    return new URL(asked.pathname + asked.search, url)
  }
}
