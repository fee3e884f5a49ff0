// Who may register: tokens of the environment, tokens of the CLI, and services of the tenant.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { WantedCaller } from '../src/administration/callers.ts'
import { commandLine } from '../src/administration/operator.ts'
import { createRecogniser, environmentCallers } from '../src/environment-callers.ts'
import { mintCallerToken } from '../src/caller-tokens.ts'
import { callerNamed, callersIn } from '../src/cli/callers.ts'
import { DirectoryError } from '../src/registration/ports.ts'
import { createRegistrants } from '../src/registrants.ts'
import { bootstrap } from '../src/store/bootstrap.ts'
import { createCallerStore } from '../src/store/caller-store.ts'
import { createCatalogue } from '../src/store/catalogue.ts'
import { openDatabase } from '../src/store/prisma-client.ts'
import { createEnvelopeVault } from '../src/vault/envelope-vault.ts'
import { createTestDatabase } from './support/postgres.ts'
import { keyringFile, keyringOf } from './vault/keyring-fixture.ts'

t.jobs = 2

const tenantId = '01a20951-0000-4000-8000-000000000001'
const appId = '01a20951-0000-4000-8000-00000000000a'
const ENVIRONMENT_TOKEN = 'initial-token-of-the-environment'
const OPERATOR_KEY = 'operator-key-of-the-environment'
const SERVICE_TOKEN = 'header.payload.signature'

async function setUp (t: Test) {
  const database = await createTestDatabase(t)
  const { prisma, run, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  const vault = createEnvelopeVault(keyringOf(keyringFile({ k1: 'active' }, ['p1'])))
  const lists = { konnectApiKeys: [], gatewayApiKeys: [], adminApiKeys: [OPERATOR_KEY], initialAccessTokens: [ENVIRONMENT_TOKEN] }
  const environment = environmentCallers(lists, vault)
  const provider = { tenantId, initialClientId: tenantId, issuer: `https://sts.windows.net/${tenantId}/` }
  const { callerIds, providerId } = await bootstrap(run, provider, environment)
  const catalogue = createCatalogue(run)
  await catalogue.load()
  const callers = createCallerStore({ prisma, run }, () => performance.now())
  const keys = { areAway: false }
  const serviceTokens = {
    async applicationOf (provider: string, token: string) {
      if (keys.areAway) throw new DirectoryError('unavailable', 'no keys')
      return provider === providerId && token === SERVICE_TOKEN ? appId : null
    }
  }
  const recognise = createRegistrants({ recognise: createRecogniser(environment, callerIds, vault, catalogue), callers, serviceTokens, catalogue })
  return {
    prisma,
    query: database.query,
    providerId,
    recognise,
    callers,
    keys,
    async addToken (name: string, changes: Partial<WantedCaller> = {}) {
      return await callersIn(prisma).create({
        kind: 'initial_access_token', name, providerName: 'default', policyName: null, scopes: ['register'], maxRegistrations: null, expiry: null, ...changes
      }, commandLine, null)
    }
  }
}

t.test('a token of the environment, one of the CLI and a service may register at their provider, and their use is remembered', async t => {
  const { recognise, providerId, addToken, callers, query } = await setUp(t)
  const { token, caller } = await addToken('of the team')
  const { token: serviceKey } = await addToken('a service of ours', { kind: 'service', scopes: ['register', 'read'] })
  t.match(await recognise(providerId, serviceKey), { kind: 'service', name: 'a service of ours', providerId })
  t.match(await recognise(providerId, ENVIRONMENT_TOKEN), { kind: 'initial_access_token', name: 'INITIAL_ACCESS_TOKENS[0]', providerId, scopes: ['register'] })
  t.match(await recognise(providerId, token), { id: caller.id, kind: 'initial_access_token', name: 'of the team', providerId })
  t.match(await recognise(providerId, SERVICE_TOKEN), { kind: 'service', name: `entra:${appId}`, providerId, scopes: ['register', 'read'] })
  await callers.settled()
  t.equal((await query('SELECT FROM caller WHERE last_used_at IS NOT NULL')).rowCount, 4)
})

t.test('at another provider they are nobody; a token bound to none is bound to the one it is used at', async t => {
  const { recognise, addToken, query } = await setUp(t)
  const { token, caller } = await addToken('of the team')
  const elsewhere = randomUUID()
  for (const bearer of [ENVIRONMENT_TOKEN, token, SERVICE_TOKEN]) t.equal(await recognise(elsewhere, bearer), null)
  await query('UPDATE caller SET provider_id = NULL WHERE id = $1', [caller.id])
  t.match(await recognise(elsewhere, token), { id: caller.id, providerId: elsewhere })
})

t.test('a token that was revoked or is over, and everything that is no such token, is nobody\'s', async t => {
  const { recognise, providerId, addToken, prisma, query } = await setUp(t)
  const { token: revoked } = await addToken('revoked')
  const { token: over, caller } = await addToken('over', { expiry: { inMs: 60_000 } })
  t.type(await recognise(providerId, revoked), Object)
  t.type(await recognise(providerId, over), Object)
  await callersIn(prisma).revoke((await callerNamed(prisma, 'revoked')).id, commandLine, null)
  await query('UPDATE caller SET expires_at = now() WHERE id = $1', [caller.id])
  const { token: managing } = await addToken('of another kind')
  await query("UPDATE caller SET kind = 'operator' WHERE name = 'of another kind'")
  for (const bearer of [revoked, over, managing, OPERATOR_KEY, '', 'dcr_iat_', `${ENVIRONMENT_TOKEN}x`, mintCallerToken('initial_access_token').token, 'a.b.c']) {
    t.equal(await recognise(providerId, bearer), null, bearer.slice(0, 12))
  }
  t.match(await recognise(providerId, ENVIRONMENT_TOKEN), { kind: 'initial_access_token' }, 'positive control')
})

t.test('tokens of our own go on working while the keys of the tenant can\'t be had; a service learns that it is not its fault', async t => {
  const { recognise, providerId, addToken, keys } = await setUp(t)
  const { token } = await addToken('of the team')
  keys.areAway = true
  t.type(await recognise(providerId, ENVIRONMENT_TOKEN), Object)
  t.type(await recognise(providerId, token), Object)
  await t.rejects(recognise(providerId, SERVICE_TOKEN), { name: 'DirectoryError', fault: 'unavailable' })
})
