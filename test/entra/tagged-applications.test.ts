// Applications by their tag, as the reconciler lists and reads them: every page, nothing of another tag, and only from Graph's address.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createEntraDirectories } from '../../src/entra/entra-directories.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { wantedFor } from './directory-samples.ts'
import { faultOf, patience, reply, startScriptedEntra } from './scripted-entra.ts'

t.test('applications are listed by tag and read in full', async t => {
  const simulator = await startSimulator()
  t.teardown(async () => await simulator.close())
  const { tenantId, broker: { clientId, clientSecret }, url } = simulator
  const credential = { kind: 'secret', secret: clientSecret } as const
  const place = { authorityHost: url, graphBaseUrl: url, attemptTimeoutMs: 3000 }
  const directories = createEntraDirectories([{ providerId: 'default', tenantId, clientId, credential, ...place }])
  t.teardown(async () => await directories.close())
  const directory = directories.of('default')

  await t.test('with its passwords, its name and when it was made', async t => {
    const id = randomUUID()
    const wanted = wantedFor(id)
    const { objectId, clientId } = await directory.ensureApplication(`dcr-${id}`, wanted, patience())
    const principalId = await directory.ensurePrincipal(clientId, wanted, patience())
    const { keyId, label, expiresAt, hint } = await directory.issueSecret(objectId, 'dcr:listed:1', new Date(), new Date(Date.now() + 86_400_000), patience())
    const { applications, next } = await directory.listTagged(`dcr-reg:${id}`, null, patience())
    t.equal(next, null)
    t.match(applications, [{ objectId, clientId, uniqueName: `dcr-${id}`, displayName: wanted.displayName, tags: wanted.tags, passwords: [{ keyId, label }] }])
    t.ok(Math.abs(Number(applications[0]?.createdAt) - Date.now()) < 60_000)
    t.match(await directory.readTagged(clientId, patience()), {
      objectId,
      description: wanted.description,
      redirectUris: wanted.redirectUris,
      principal: { principalId, enabled: true },
      secrets: [{ keyId, label, expiresAt, hint }]
    })
    t.strictSame(await directory.listTagged('dcr-reg:nobody', null, patience()), { applications: [], next: null })
    t.equal(await directory.readTagged(randomUUID(), patience()), null)
  })
})

const item = (number: number) => ({
  id: `22222222-2222-4222-8222-00000000000${number}`,
  appId: `33333333-3333-4333-8333-00000000000${number}`,
  displayName: `App ${number}`,
  tags: ['many'],
  createdDateTime: '2026-11-26T00:00:00Z'
})

t.test('page by page at 999 a call, and a list that leads elsewhere is refused instead of cut short', async t => {
  let next = ''
  const entra = await startScriptedEntra(close => t.teardown(close), {
    graph: ({ path }, answer) => reply(answer, 200, path.includes('skiptoken') ? { value: [item(2)] } : { value: [item(1)], '@odata.nextLink': next })
  })
  const directory = entra.directories.of('default')
  next = `${entra.url}/v1.0/applications?$skiptoken=abc`
  const first = await directory.listTagged('many', null, patience())
  t.strictSame(first.applications.map(({ displayName }) => displayName), ['App 1'])
  const asked = decodeURIComponent(entra.graphRequests[0]?.path ?? '')
  t.match(asked, "$filter=tags/any(t:t eq 'many')&")
  t.match(asked, '&$select=id,appId,uniqueName,displayName,tags,createdDateTime,passwordCredentials&$top=999')
  const second = await directory.listTagged('many', first.next, patience())
  t.strictSame([second.next, second.applications.map(({ displayName }) => displayName)], [null, ['App 2']])
  next = 'https://elsewhere.example/v1.0/applications?$skiptoken=abc'
  t.match(await faultOf(directory.listTagged('many', null, patience())), { fault: 'unavailable' })
})
