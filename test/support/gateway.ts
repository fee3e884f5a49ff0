// A broker with its gateway listener, and registered clients with tokens for one of the simulator's APIs.
import type { Test } from 'tap'
import { requestTokenV1, requestTokenV2, type ClientCredentials } from '../../src/demo/entra-client.ts'
import type { Accepted } from '../../src/gateway/verdict.ts'
import { headersOf } from '../../src/http/gateway/presenter.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { konnectApplication, OPERATOR_KEY, request, startTestBroker, type Answer, type TestBroker, type TestBrokerOptions } from './broker.ts'
import { createTestDatabase } from './postgres.ts'

export const GATEWAY_KEY = 'gateway_key_of_the_tests_1'

/** What `/verify` tells of a client, in lower case and in its order. */
export const CLIENT_HEADERS = Object.keys(headersOf({ client: { clientId: '', applicationId: null, developerId: null, scopes: [] }, token: null } as unknown as Accepted))

export const V1_API = 'api://gateway-v1'
export const V2_API = 'api://gateway-v2'

export interface TestGateway extends TestBroker {
  /** Base of the gateway listener. */
  gatewayUrl: string
  verify: (headers?: Record<string, string>, path?: string, method?: string) => Promise<Answer>
  introspect: (token: string, key?: string | null) => Promise<Answer>
  operations: (method: string, path: string, body?: unknown) => Promise<Answer>
  /** Registers a client over the bridge, under the default strategy unless one of Konnect's ids is given. */
  registerClient: (konnectStrategyId?: string) => Promise<ClientCredentials>
  tokenV1: (client: ClientCredentials, resource?: string) => Promise<string>
  tokenV2: (client: ClientCredentials, resource?: string) => Promise<string>
}

export const basic = ({ clientId, clientSecret }: ClientCredentials): Record<string, string> =>
  ({ authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` })

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** Konnect's ids of strategies that are linked: v1 tokens for V1_API, v2 tokens for V2_API. */
export const V1_STRATEGY = 'c0000000-0000-4000-8000-000000000001'
export const V2_STRATEGY = 'c0000000-0000-4000-8000-000000000002'

export async function startTestGateway (t: Pick<Test, 'teardown'>, options: TestBrokerOptions = {}): Promise<TestGateway> {
  const broker = await startTestBroker(t, {
    ...options, environment: { GATEWAY_PORT: '0', GATEWAY_API_KEYS: GATEWAY_KEY, ...options.environment }
  })
  const { broker: { gatewayServer }, simulator, operationsUrl } = broker
  if (gatewayServer === null) throw new Error('There is no gateway listener')
  const gatewayUrl = await gatewayServer.listen({ host: '127.0.0.1', port: 0 })
  const tenant = { authorityHost: simulator.url, tenantId: simulator.tenantId }
  const operations: TestGateway['operations'] = (method, path, body) =>
    request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })
  return {
    ...broker,
    gatewayUrl,
    operations,
    verify: (headers = {}, path = '/verify', method = 'GET') => request(`${gatewayUrl}${path}`, method, undefined, headers),
    introspect: (token, key = GATEWAY_KEY) => request(`${gatewayUrl}/introspect`, 'POST', new URLSearchParams({ token }).toString(), {
      'content-type': 'application/x-www-form-urlencoded', ...(key === null ? {} : bearer(key))
    }),
    async registerClient (konnectStrategyId) {
      const { status, body } = await broker.konnect('POST', '/', konnectApplication(konnectStrategyId === undefined ? {} : { auth_strategy_id: konnectStrategyId }))
      if (status !== 201) throw new Error(`The bridge answered ${status}`)
      return { clientId: body.client_id, clientSecret: body.client_secret }
    },
    tokenV1: async (client, resource = V1_API) => tokenOf(await requestTokenV1(tenant, client, resource)),
    tokenV2: async (client, resource = V2_API) => tokenOf(await requestTokenV2(tenant, client, resource))
  }
}

/** Two replicas over one database and one tenant, in which what was removed lingers for a minute. The strategies are made at the first. */
export async function startTwoGateways (t: Pick<Test, 'teardown'>, environment: Record<string, string> = {}): Promise<[TestGateway, TestGateway]> {
  const simulator = await startSimulator({ lag: { secretLingerMs: 60_000, tokenLingerMs: 60_000 } })
  t.teardown(() => simulator.close())
  const database = await createTestDatabase(t)
  const one = await startTestGateway(t, { simulator, database, environment })
  const other = await startTestGateway(t, { simulator, database, environment: { ENCRYPTION_KEYRING_FILE: one.settings.keyringFile, ...environment } })
  await linkStrategies(one)
  return [one, other]
}

function tokenOf (answer: Awaited<ReturnType<typeof requestTokenV1>>): string {
  if ('token' in answer) return answer.token
  throw new Error(`The simulator gave no token: ${answer.error}`)
}

/** Makes the two strategies. Resolves to their ids in the broker. */
export async function linkStrategies ({ operations, simulator: { tenantId, control } }: TestGateway): Promise<{ v1: string, v2: string }> {
  const v2AppId = appIdOf(control, V2_API)
  const make = async (content: Record<string, unknown>): Promise<string> => {
    const { status, body } = await operations('POST', '/application-auth-strategies', { strategy_type: 'openid_connect', ...content })
    if (status !== 201) throw new Error(`The strategy was not made: ${JSON.stringify(body)}`)
    return body.id
  }
  const methods = { scopes: [], auth_methods: ['client_credentials', 'bearer'] }
  return {
    v1: await make({
      name: 'v1',
      konnect_auth_strategy_id: V1_STRATEGY,
      audience: V1_API,
      configs: { 'openid-connect': { ...methods, issuer: `https://sts.windows.net/${tenantId}/`, credential_claim: ['appid'] } }
    }),
    v2: await make({
      name: 'v2',
      konnect_auth_strategy_id: V2_STRATEGY,
      audience: v2AppId,
      resource_app_id: v2AppId,
      configs: {
        'openid-connect': {
          ...methods, issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`, credential_claim: ['azp'], scopes: [`${V2_API}/.default`]
        }
      }
    })
  }
}

/** Of one of the simulator's APIs. */
export function appIdOf (control: TestGateway['simulator']['control'], identifierUri: string): string {
  const applications = control.state().applications as Array<{ appId: string, identifierUris: string[] }>
  const found = applications.find(({ identifierUris }) => identifierUris.includes(identifierUri))
  if (found === undefined) throw new Error(`The simulator has no ${identifierUri}`)
  return found.appId
}
