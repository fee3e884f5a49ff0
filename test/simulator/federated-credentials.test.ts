// Federated identity credentials through Graph, and the assertions they let in.
import t from 'tap'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { collection, createIfMissing, registeredClient, simulateTenant } from './simulated-tenant.ts'

const audience = 'api://AzureADTokenExchange'
const cluster = { name: 'cluster', issuer: 'https://cluster.example', subject: 'system:serviceaccount:a:b', audiences: [audience] }

t.test('a credential is created, listed, read, changed and deleted, by id and by name', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const path = `/applications/${objectId}/federatedIdentityCredentials`
  const list = async () => collection(await tenant.graph('GET', path))
  t.same(await list(), [])
  const created = await tenant.graph('POST', path, { body: cluster })
  t.match(created, { status: 201, body: { id: String, ...cluster, description: null } })
  const id = String(created.body['id'])
  for (const key of [`/${id}`, '/cluster', "(name='cluster')", '(name=%27cluster%27)']) {
    t.match(await tenant.graph('GET', `${path}${key}`), { status: 200, body: { id } }, key)
  }
  t.equal((await tenant.graph('PATCH', `${path}/${id}`, { body: { subject: 'system:serviceaccount:a:c' } })).status, 204)
  t.match(await list(), [{ id, name: 'cluster', subject: 'system:serviceaccount:a:c', audiences: [audience] }])
  t.equal((await tenant.graph('DELETE', `${path}/${id}`)).status, 204)
  t.equal((await tenant.graph('DELETE', `${path}/${id}`)).status, 404)
  await tenant.graph('POST', path, { body: cluster })
  t.equal((await tenant.graph('DELETE', `${path}/cluster`)).status, 204)
  t.same(await list(), [])
})

t.test('an upsert by name makes one credential however often it is sent', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const path = `/applications/${objectId}/federatedIdentityCredentials`
  const { name, ...body } = cluster
  const upsert = (headers: Record<string, string>) => tenant.graph('PATCH', `${path}(name='${name}')`, { body, headers })
  t.equal((await upsert({})).status, 404, 'without the preference it is an update')
  t.match(await upsert(createIfMissing), { status: 201, body: { name, subject: cluster.subject } })
  t.equal((await upsert(createIfMissing)).status, 204)
  t.equal(collection(await tenant.graph('GET', path)).length, 1)
})

t.test('a name, and an issuer with a subject, are there once; there are 20 at most, with one audience each', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const path = `/applications/${objectId}/federatedIdentityCredentials`
  const create = (change: object) => tenant.graph('POST', path, { body: { ...cluster, ...change } })
  await create({})
  t.match(await create({ subject: 'other' }), { status: 409, body: { error: { message: 'FederatedIdentityCredential with name cluster already exists.' } } })
  t.match(await create({ name: 'another', audiences: ['api://other'] }), {
    status: 400, body: { error: { code: 'InvalidFederatedIdentityCredentialValue', message: /^The combination of issuer and subject must be unique for the application\./ } }
  })
  const refused = [{ audiences: [] }, { audiences: ['a', 'b'] }, { audiences: 'a' }, { issuer: 'cluster' }, { subject: '' }, { subject: 'x'.repeat(601) },
    { name: 'a' }, { name: 'with space' }, { name: 'x'.repeat(121) }, { description: 1 }, { colour: 'red' }]
  for (const change of refused) t.equal((await create({ name: 'refused', subject: 'refused', ...change })).status, 400, JSON.stringify(change).slice(0, 60))
  for (let index = 1; index < 20; index++) t.equal((await create({ name: `cluster-${index}`, subject: `subject-${index}` })).status, 201)
  t.match(await create({ name: 'one-too-many', subject: 'one-too-many' }), { status: 400, body: { error: { message: /maximum of 20/ } } })
})

t.test('the caller changes the credentials of its own applications only', async t => {
  const tenant = await simulateTenant(t)
  const { clientId } = tenant.simulator.control.addClient('Somebody else\'s')
  const { body: { id } } = await tenant.graph('GET', `/applications(appId='${clientId}')`)
  const path = `/applications/${id}/federatedIdentityCredentials`
  t.equal((await tenant.graph('POST', path, { body: cluster })).status, 403)
  t.equal((await tenant.graph('GET', path)).status, 200)
  t.equal((await tenant.graph('GET', '/applications/00000000-0000-4000-8000-000000000000/federatedIdentityCredentials')).status, 404)
})

t.test('a client signs in with an assertion of an issuer whose keys are known, until the credential is gone', async t => {
  const tenant = await simulateTenant(t)
  const { objectId, clientId } = await registeredClient(tenant)
  const path = `/applications/${objectId}/federatedIdentityCredentials`
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const signIn = async (issuer: string) => tenant.token('v2', {
    client_id: clientId,
    scope: 'api://gateway-v2/.default',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({}).setProtectedHeader({ alg: 'RS256' }).setIssuer(issuer).setSubject(cluster.subject)
      .setAudience(audience).setExpirationTime(Date.parse('2026-03-01T12:10:00Z') / 1000).sign(privateKey)
  })
  await tenant.graph('POST', path, { body: cluster })
  t.match(await signIn(cluster.issuer), { status: 401, body: { error: 'invalid_client', error_codes: [700023] } }, 'nobody has told the keys')
  tenant.simulator.control.federationKeys(cluster.issuer, [await exportJWK(publicKey)])
  t.equal((await signIn(cluster.issuer)).status, 200)
  t.match(await signIn('https://other.example'), { status: 401, body: { error_codes: [700213] } })
  await tenant.graph('DELETE', `${path}/cluster`)
  t.match(await signIn(cluster.issuer), { status: 401, body: { error_codes: [700213] } })
})
