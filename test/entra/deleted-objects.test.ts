// A uniqueName held by a soft-deleted application: ours by its tag comes back, somebody else's is left alone; and what a purge takes along.
import t from 'tap'
import { clientId, faultOf, objectId, patience, reply, startScriptedEntra, wantedApplication, type Script } from './scripted-entra.ts'

const wanted = wantedApplication('r1')
const principalId = '55555555-5555-4555-8555-555555555555'
const foreignId = '66666666-6666-4666-8666-666666666666'
const ours = { id: objectId, appId: clientId, tags: ['dcr-broker', 'dcr-reg:r1'] }
const foreign = { id: foreignId, appId: foreignId, tags: ['dcr-broker', 'dcr-reg:r2'] }
const nameTaken = { error: { code: 'Request_BadRequest', message: 'Another object with the same value for property uniqueName already exists.' } }

/** Refuses the upsert, lists what it is given, and takes everything else. */
const bin = (listApplications: Script, principals: object[] = []): Script => (request, answer) => {
  if (request.path.includes('uniqueName')) return reply(answer, 400, nameTaken)
  if (request.path.includes('deletedItems/microsoft.graph.application')) return listApplications(request, answer)
  if (request.path.includes('deletedItems/microsoft.graph.servicePrincipal')) return reply(answer, 200, { value: principals })
  answer.writeHead(204).end()
}

t.test('F27 our application is found by its tag on a later page, restored with its principal, and brought to what is wanted', async t => {
  const listing: Script = (request, answer) => request.path.includes('skiptoken')
    ? reply(answer, 200, { value: [ours] })
    : reply(answer, 200, { value: [foreign], '@odata.nextLink': `http://${String(request.headers.host)}/v1.0/directory/deletedItems/microsoft.graph.application?$skiptoken=p2` })
  const entra = await startScriptedEntra(t.teardown, { graph: bin(listing, [{ id: principalId, appId: clientId }, { id: foreignId, appId: foreignId }]) })
  t.strictSame(await entra.directories.of('default').ensureApplication('dcr-r1', wanted, patience()), { objectId, clientId })
  t.strictSame(entra.graphRequests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`), [
    "PATCH /v1.0/applications(uniqueName='dcr-r1')",
    `POST /v1.0/directory/deletedItems/${objectId}/restore`,
    `POST /v1.0/directory/deletedItems/${principalId}/restore`,
    `PATCH /v1.0/applications/${objectId}`
  ])
})

t.test('our application is found among all deleted ones when somebody has renamed it', async t => {
  const listing: Script = (request, answer) => reply(answer, 200, { value: request.path.includes('displayName') ? [] : [foreign, ours] })
  const entra = await startScriptedEntra(t.teardown, { graph: bin(listing) })
  t.match(await entra.directories.of('default').ensureApplication('dcr-r1', wanted, patience()), { objectId })
})

t.test('an application that is not ours is not restored, and a continuation to another host is not followed', async t => {
  const elsewhere = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 200, { value: [ours] }) })
  const listing: Script = (_request, answer) => reply(answer, 200, { value: [foreign], '@odata.nextLink': `${elsewhere.url}/v1.0/stolen` })
  const entra = await startScriptedEntra(t.teardown, { graph: bin(listing) })
  t.match(await faultOf(entra.directories.of('default').ensureApplication('dcr-r1', wanted, patience())), {
    fault: 'unavailable', diagnostics: { reason: 'unreadable_answer' }
  })
  t.equal(elsewhere.graphRequests.length, 0)
  t.notOk(entra.graphRequests.some(({ method }) => method === 'POST'))
})

t.test('an application that Graph has just changed and does not show is replicating', async t => {
  const entra = await startScriptedEntra(t.teardown, {
    graph: ({ method }, answer) => method === 'PATCH'
      ? answer.writeHead(204).end()
      : reply(answer, 404, { error: { code: 'Request_ResourceNotFound', message: 'x' } })
  })
  const directory = entra.directories.of('default')
  t.match(await faultOf(directory.ensureApplication('dcr-r1', wanted, patience())), { fault: 'replicating' })
  t.match(await faultOf(directory.ensurePrincipal(clientId, wanted, patience())), { fault: 'replicating' })
})

t.test('a purge takes the principal along, also when its id was never learnt, and no other', async t => {
  const principals = [{ id: principalId, appId: clientId }, { id: foreignId, appId: foreignId }]
  const entra = await startScriptedEntra(t.teardown, { graph: bin(() => undefined, principals) })
  const directory = entra.directories.of('default')
  await directory.purgeApplication({ objectId, clientId }, null, patience())
  await directory.purgeApplication({ objectId, clientId }, principalId, patience())
  const deleted = entra.graphRequests.filter(({ method }) => method === 'DELETE').map(({ path }) => path.split('/').at(-1))
  t.strictSame(deleted, [principalId, objectId, principalId, objectId])
})

t.test('a purge that the tenant does not allow is `denied`', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 403, { error: { code: 'Authorization_RequestDenied', message: 'x' } }) })
  t.match(await faultOf(entra.directories.of('default').purgeApplication({ objectId, clientId }, principalId, patience())), { fault: 'denied' })
})
