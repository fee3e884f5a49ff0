// Creating under a name twice makes one application: the upsert by uniqueName and the one by appId.
import t from 'tap'
import { collection, createIfMissing, simulateTenant } from './simulated-tenant.ts'

t.test('an upsert of an unknown uniqueName creates the application and answers 201 with it', async t => {
  const { upsert } = await simulateTenant(t)
  const created = await upsert('dcr-1', { displayName: 'Orders', tags: ['dcr-broker'], web: { redirectUris: ['https://a.example/cb'] } })
  t.equal(created.status, 201)
  t.match(created.body, {
    '@odata.context': /\/v1\.0\/\$metadata#applications\/\$entity$/,
    displayName: 'Orders',
    uniqueName: 'dcr-1',
    tags: ['dcr-broker'],
    signInAudience: 'AzureADMyOrg',
    web: { redirectUris: ['https://a.example/cb'], implicitGrantSettings: { enableIdTokenIssuance: false } },
    passwordCredentials: []
  })
  t.not(created.body['id'], created.body['appId'], 'object id and appId are different things')
})

t.test('a second upsert updates the same application and answers 204 without a body', async t => {
  const { upsert, graph } = await simulateTenant(t)
  const { body } = await upsert('dcr-1', { displayName: 'Orders', web: { redirectUris: ['https://a.example/cb'], homePageUrl: 'https://a.example' } })
  const updated = await upsert('dcr-1', { displayName: 'Orders 2', web: { redirectUris: [] } })
  t.equal(updated.status, 204)
  t.equal(updated.body, null)
  const read = await graph('GET', "/applications(uniqueName='dcr-1')")
  t.match(read.body, { id: body['id'], displayName: 'Orders 2', web: { redirectUris: [], homePageUrl: 'https://a.example' } },
    'a complex property keeps the members that the change does not name')
})

t.test('twenty upserts at once create one application', async t => {
  const { upsert, graph } = await simulateTenant(t)
  const answers = await Promise.all(Array.from({ length: 20 }, () => upsert('dcr-1', { displayName: 'Orders' })))
  t.same(answers.map(answer => answer.status).sort(), [201, ...Array<number>(19).fill(204)])
  t.equal(collection(await graph('GET', "/applications?$filter=uniqueName eq 'dcr-1'")).length, 1)
})

t.test('a PATCH of an unknown uniqueName without the Prefer header is a 404', async t => {
  const { graph } = await simulateTenant(t)
  const answer = await graph('PATCH', "/applications(uniqueName='dcr-1')", { body: { displayName: 'Orders' } })
  t.equal(answer.status, 404)
  t.match(answer.body, { error: { code: 'Request_ResourceNotFound', message: /^Resource 'dcr-1' does not exist or one of its queried/ } })
})

t.test('a uniqueName with quotes, spaces and slashes is found again through an escaped key', async t => {
  const { upsert, graph } = await simulateTenant(t)
  const key = encodeURIComponent("O''Neil / (x)")
  t.equal((await upsert(key, { displayName: 'Orders' })).status, 201)
  const { body } = await graph('GET', `/applications(uniqueName='${key}')?$select=uniqueName`)
  t.equal(body['uniqueName'], "O'Neil / (x)")
})

t.test('a plain POST with a uniqueName that is taken is a 400, not a 409', async t => {
  const { upsert, graph } = await simulateTenant(t)
  await upsert('dcr-1', { displayName: 'Orders' })
  const answer = await graph('POST', '/applications', { body: { displayName: 'Orders', uniqueName: 'dcr-1' } })
  t.equal(answer.status, 400)
  t.match(answer.body, { error: { code: 'Request_BadRequest', message: 'Another object with the same value for property uniqueName already exists.' } })
})

t.test('uniqueName and appId of an application cannot be changed', async t => {
  const { upsert, graph } = await simulateTenant(t)
  const { body } = await upsert('dcr-1', { displayName: 'Orders' })
  for (const change of [{ uniqueName: 'dcr-2' }, { appId: body['id'] }]) {
    t.equal((await graph('PATCH', `/applications/${body['id']}`, { body: change })).status, 400)
  }
})

t.test('a principal upsert answers 201 and then 204, and a plain POST of the same appId is a 409', async t => {
  const { upsert, graph } = await simulateTenant(t)
  const { body: { appId } } = await upsert('dcr-1', { displayName: 'Orders' })
  const path = `/servicePrincipals(appId='${appId}')`
  const first = await graph('PATCH', path, { body: { tags: ['dcr-broker'] }, headers: createIfMissing })
  t.equal(first.status, 201)
  t.match(first.body, { appId, displayName: 'Orders', tags: ['dcr-broker'], accountEnabled: true, servicePrincipalType: 'Application' })
  t.equal((await graph('PATCH', path, { body: { accountEnabled: false }, headers: createIfMissing })).status, 204)
  t.match((await graph('GET', path)).body, { id: first.body['id'], accountEnabled: false })
  const again = await graph('POST', '/servicePrincipals', { body: { appId } })
  t.equal(again.status, 409)
  t.match(again.body, { error: { code: 'Request_MultipleObjectsWithSameKeyValue' } })
})

t.test('a principal for an appId without application is refused as NoBackingApplicationObject', async t => {
  const { graph } = await simulateTenant(t)
  const appId = '6c2a3f0e-0000-4000-8000-000000000000'
  const answer = await graph('POST', '/servicePrincipals', { body: { appId } })
  t.equal(answer.status, 400)
  t.match(answer.body, {
    error: {
      code: 'Request_BadRequest',
      message: `The appId '${appId}' of the service principal does not reference a valid application object.`,
      details: [{ code: 'NoBackingApplicationObject', target: 'appId' }]
    }
  })
})
