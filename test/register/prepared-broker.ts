// A broker whose database an operator has furnished before its start: policies, scopes, a second provider. And what clients send to it.
import type { Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { commandLine } from '../../src/administration/operator.ts'
import type { NewCaller } from '../../src/administration/callers-port.ts'
import { callerNamed, callersIn } from '../../src/cli/callers.ts'
import type { PolicyRules } from '../../src/registration/policy.ts'
import type { ScopeMapping } from '../../src/registration/registration.ts'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'
import { bootstrap } from '../../src/store/bootstrap.ts'
import { putPolicy } from '../../src/store/policy-administration.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { putScope } from '../../src/store/scope-administration.ts'
import { startTestBroker, type Answer, type TestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { createTestDatabase } from '../support/postgres.ts'

/** The provider beside `default`; nobody has given the broker a credential for it. */
export const SECOND_PROVIDER = 'sales'

export interface Preparation {
  /** By name. */
  policies?: Record<string, Partial<PolicyRules>>
  scopes?: (simulator: Simulator) => ScopeMapping[]
  secondProvider?: boolean
  simulator?: SimulatorOptions
  environment?: Record<string, string>
}

export interface PreparedBroker extends TestBroker {
  /** An initial access token as `dcr-broker callers create` makes it; of the default provider unless told. */
  mint: (changes?: Partial<Omit<NewCaller, 'digest'>>) => Promise<MintedToken>
  /** Revokes a caller by its name. */
  revoke: (name: string) => Promise<void>
}

export interface MintedToken {
  token: string
  name: string
  revoke: () => Promise<void>
}

export async function startPreparedBroker (t: Test, preparation: Preparation = {}): Promise<PreparedBroker> {
  const { policies = {}, scopes, secondProvider = false, simulator: options, environment = {} } = preparation
  const database = await createTestDatabase(t)
  const simulator = await startSimulator(options ?? {})
  t.teardown(() => simulator.close())
  const { prisma, run, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  // On a busy machine the first connection may take longer than a broker waits for one.
  await eventually('the database answers', async () => await prisma.installation.count().then(() => true, () => false))
  const provider = (tenantId: string) => ({ tenantId, initialClientId: simulator.broker.clientId, issuer: `https://sts.windows.net/${tenantId}/` })
  if (secondProvider) {
    const second = provider(simulator.control.addTenant().tenantId)
    const strategy = { id: uuidv7(), name: 'default', origin: 'database', isDefault: true, issuer: second.issuer, credentialClaim: ['appid'], tokenVersion: 1 }
    await prisma.provider.create({ data: { id: uuidv7(), name: SECOND_PROVIDER, origin: 'database', ...second, strategies: { create: strategy } } })
  }
  await bootstrap(run, provider(simulator.tenantId), [])
  for (const [name, rules] of Object.entries(policies)) await putPolicy(prisma, commandLine, name, rules)
  for (const scope of scopes?.(simulator) ?? []) await putScope(prisma, commandLine, 'default', scope)
  const broker = await startTestBroker(t, { database, simulator, environment })
  const callers = callersIn(prisma)
  const revoke = async (name: string) => { await callers.revoke((await callerNamed(prisma, name)).id, commandLine, null) }
  return {
    ...broker,
    revoke,
    async mint (changes = {}) {
      const name = `token ${uuidv7()}`
      const { token } = await callers.create({
        kind: 'initial_access_token', name, providerName: 'default', policyName: null, scopes: ['register'], maxRegistrations: null, expiry: null, ...changes
      }, commandLine, null)
      return { token, name, revoke: () => revoke(name) }
    }
  }
}

/** A client that signs users in and has a secret. */
export function webClient (changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { client_name: 'Orders', redirect_uris: ['https://orders.example.com/callback'], grant_types: ['authorization_code', 'refresh_token'], ...changes }
}

/** A client on its user's machine. */
export function nativeClient (changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { client_name: 'Editor', redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none', ...changes }
}

/** A client that gets tokens for itself. */
export function serviceClient (changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { client_name: 'Nightly', grant_types: ['client_credentials'], ...changes }
}

/** A client that has registered, and what its owner does with it. */
export interface Owned {
  id: string
  secret: string
  /** The registration access token of the newest answer. */
  token: string
  uri: string
  body: any
}

/** What an answer of registration or management gave its owner. Throws for a failure. */
export function ownedBy ({ status, body }: Answer): Owned {
  if (status !== 201 && status !== 200) throw new Error(`Answered ${status}: ${JSON.stringify(body)}`)
  return { id: body.client_id, secret: body.client_secret, token: body.registration_access_token, uri: body.registration_client_uri, body }
}

/** What Entra's token endpoint says: `ok`, or its first AADSTS code. */
export async function tokenOutcome (simulator: Simulator, { id, secret }: { id: string, secret: string }): Promise<string> {
  const response = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret, scope: `${id}/.default` })
  })
  const body = await response.json() as { error_description?: string }
  return response.ok ? 'ok' : /AADSTS\d+/.exec(body.error_description ?? '')?.[0] ?? String(response.status)
}

/** An application as Entra has it now; undefined when there is none. */
export function applicationOf (simulator: Simulator, clientId: string): any {
  return simulator.control.state().applications.find(application => (application as { appId: string }).appId === clientId)
}
