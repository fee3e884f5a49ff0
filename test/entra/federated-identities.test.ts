// Federated identities on the way to Graph: only ours are touched, removals come first, each call is sent once.
import t from 'tap'
import { createHash } from 'node:crypto'
import type { FederatedIdentity } from '../../src/registration/registration.ts'
import { faultOf, objectId, patience, reply, startScriptedEntra, type Script } from './scripted-entra.ts'

const collection = `/v1.0/applications/${objectId}/federatedIdentityCredentials`
const identity = (subject: string, audience = 'api://AzureADTokenExchange'): FederatedIdentity =>
  ({ issuer: 'https://issuer.example', subject, audience })
const nameOf = ({ issuer, subject, audience }: FederatedIdentity): string =>
  `dcr-${createHash('sha256').update([issuer, subject, audience].join('\n')).digest('hex').slice(0, 32)}`
const shown = (number: number, wish: FederatedIdentity, name = nameOf(wish)): object => ({
  id: `00000000-0000-4000-8000-00000000000${number}`, name, issuer: wish.issuer, subject: wish.subject, audiences: [wish.audience], description: null
})
const idOf = (number: number): string => `${collection}/00000000-0000-4000-8000-00000000000${number}`
const upsertOf = (wish: FederatedIdentity): string => `${collection}(name='${nameOf(wish)}')`

/** Shows these credentials and answers writes with `write`. */
const holding = (credentials: object[], write: Script = (_request, answer) => { answer.writeHead(204).end() }): Script =>
  (request, answer) => request.method === 'GET' ? reply(answer, 200, { value: credentials }) : write(request, answer)

async function start (graph: Script) {
  const entra = await startScriptedEntra(t.teardown, { graph })
  const sync = async (...wanted: FederatedIdentity[]): Promise<void> =>
    await entra.directories.of('default').syncFederatedIdentities(objectId, wanted, patience())
  const writes = (): string[] => entra.graphRequests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)
  return { entra, sync, writes }
}

t.test('the missing ones are added under a name made of their content, once each', async t => {
  const [one, two] = [identity('one'), identity('two')]
  const { entra, sync, writes } = await start(holding([shown(1, one)]))
  await sync(one, two, { ...two })
  t.strictSame(writes(), [`PATCH ${upsertOf(two)}`])
  t.match(entra.graphRequests[1]?.headers, { prefer: 'create-if-missing' })
  t.strictSame(JSON.parse(entra.graphRequests[1]?.body ?? ''), { issuer: two.issuer, subject: 'two', audiences: ['api://AzureADTokenExchange'] })
})

t.test('ours that are no longer wanted go before the new ones come, and those of somebody else stay', async t => {
  const [old, changed] = [identity('one'), identity('one', 'api://elsewhere')]
  const credentials = [
    shown(1, identity('by hand'), 'github'),
    shown(2, old),
    shown(3, identity('like ours'), 'dcr-by-hand'),
    { id: 'x', name: 'flexible', issuer: 'https://issuer.example', subject: null, audiences: [], claimsMatchingExpression: {} }
  ]
  const { sync, writes } = await start(holding(credentials))
  await sync(changed)
  t.strictSame(writes(), [`DELETE ${idOf(2)}`, `PATCH ${upsertOf(changed)}`])
})

t.test('ours is found on a later page', async t => {
  const { sync, writes } = await start((request, answer) => {
    if (request.method !== 'GET') return answer.writeHead(204).end()
    const next = { '@odata.nextLink': `http://${String(request.headers.host)}${collection}?$skiptoken=p2` }
    return reply(answer, 200, request.path.includes('skiptoken') ? { value: [shown(2, identity('old'))] } : { value: [], ...next })
  })
  await sync()
  t.strictSame(writes(), [`DELETE ${idOf(2)}`])
})

t.test('ours that somebody has changed is brought back, and what somebody else has set up alike is not made twice', async t => {
  const [one, two] = [identity('one'), identity('two')]
  const { sync, writes } = await start(holding([shown(1, identity('changed'), nameOf(one)), shown(2, two, 'by-hand')]))
  await sync(one, two)
  t.strictSame(writes(), [`PATCH ${upsertOf(one)}`])
})

t.test('gone already and there already are success', async t => {
  const { sync, writes } = await start(holding([shown(1, identity('old'))], ({ method }, answer) => method === 'DELETE'
    ? reply(answer, 404, { error: { code: 'Request_ResourceNotFound', message: 'x' } })
    : reply(answer, 409, { error: { code: 'Request_MultipleObjectsWithSameKeyValue', message: 'FederatedIdentityCredential with name dcr-x already exists.' } })))
  await sync(identity('new'))
  t.equal(writes().length, 2)
})

t.test('an issuer and subject that Entra counts twice: a removed one passes, a foreign or a wanted one is `rejected`', async t => {
  const message = 'The combination of issuer and subject must be unique for the application. Issuer x and Subject: y already exist.'
  const refuse: Script = ({ method }, answer) => method === 'DELETE'
    ? answer.writeHead(204).end()
    : reply(answer, 400, { error: { code: 'InvalidFederatedIdentityCredentialValue', message } })
  const elsewhere = identity('one', 'api://elsewhere')
  const removed = await start(holding([shown(1, elsewhere)], refuse))
  t.match(await faultOf(removed.sync(identity('one'))), { fault: 'conflicting', diagnostics: { reason: 'trust_taken' } })
  const foreign = await start(holding([shown(1, elsewhere, 'by-hand')], refuse))
  t.match(await faultOf(foreign.sync(identity('one'))), { fault: 'rejected', diagnostics: { reason: 'trust_taken' } })
  const contradictory = await start(holding([], refuse))
  t.match(await faultOf(contradictory.sync(identity('one'), elsewhere)), { fault: 'rejected', diagnostics: { reason: 'trust_taken' } })
})

t.test('a failed write ends the call: nothing is repeated and nothing follows', async t => {
  for (const [status, fault, outcomeUnknown] of [[504, 'unavailable', true], [409, 'conflicting', false], [403, 'denied', false]] as const) {
    const { sync, writes } = await start(holding([], (_request, answer) => reply(answer, status, '')))
    t.match(await faultOf(sync(identity('one'), identity('two'))), { fault, outcomeUnknown })
    t.strictSame(writes(), [`PATCH ${upsertOf(identity('one'))}`])
  }
})

t.test('an application that is gone is `missing`, and an unreadable list removes nothing', async t => {
  const gone = await start((_request, answer) => reply(answer, 404, { error: { code: 'Request_ResourceNotFound', message: 'x' } }))
  t.match(await faultOf(gone.sync(identity('one'))), { fault: 'missing' })
  const unreadable = await start((_request, answer) => reply(answer, 200, '{"value":'))
  t.match(await faultOf(unreadable.sync()), { fault: 'unavailable', outcomeUnknown: false })
  t.strictSame([...gone.writes(), ...unreadable.writes()], [])
})
