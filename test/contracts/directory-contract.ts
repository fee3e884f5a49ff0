// The laws of the Directory port (src/registration/ports.ts), for every implementation: run on the simulator, and on a real tenant if there is one.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { DirectoryError, type ApplicationIds, type Directory } from '../../src/registration/ports.ts'
import type { DirectoryApplication } from '../../src/registration/registration.ts'

export interface DirectoryUnderTest {
  directory: Directory
  /** Passes the time a directory needs to replicate; called between looks only. */
  replication: () => Promise<void>
}

const absent = 'ffffffff-ffff-4fff-8fff-ffffffffffff'
const dayMs = 86_400_000
const patience = (): AbortSignal => AbortSignal.timeout(30_000)

function wantedFor (registrationId: string, change: Partial<DirectoryApplication> = {}): DirectoryApplication {
  return {
    displayName: `dcr-broker contract o'test ${registrationId.slice(0, 8)} https://x.example/?a&b`,
    description: null,
    tags: ['dcr-broker', 'dcr-inst:contract', `dcr-reg:${registrationId}`],
    accessTokenVersion: 2,
    redirectUris: { web: ['https://contract.example/callback'], publicClient: ['http://localhost/callback'], spa: [] },
    ...change
  }
}

/** Runs the suite as subtests of `t`. Everything it makes is removed for good at the end. */
export async function directoryContract (t: Test, { directory, replication }: DirectoryUnderTest): Promise<void> {
  /** Repeats while the directory says that it is not consistent yet: that much the port leaves to its caller. */
  async function settled<T> (call: () => Promise<T>, isSettled: (result: T) => boolean = () => true): Promise<T> {
    for (let looks = 1; ; looks++) {
      try {
        const result = await call()
        if (isSettled(result) || looks === 40) return result
      } catch (error) {
        const isEarly = error instanceof DirectoryError && ['replicating', 'missing', 'conflicting', 'throttled'].includes(error.fault)
        if (!isEarly || looks === 40) throw error
      }
      await replication()
    }
  }

  async function application (t: Test) {
    const registrationId = randomUUID()
    const uniqueName = `dcr-${registrationId}`
    const wanted = wantedFor(registrationId)
    const ids = await settled(async () => await directory.ensureApplication(uniqueName, wanted, patience()))
    t.teardown(async () => {
      await remove(ids)
    })
    const principalId = await settled(async () => await directory.ensurePrincipal(ids.clientId, wanted, patience()))
    return { ...ids, uniqueName, wanted, principalId }
  }

  async function remove (ids: ApplicationIds, principalId: string | null = null): Promise<void> {
    await settled(async () => await directory.removeApplication(ids.objectId, patience()))
    await settled(async () => await directory.purgeApplication(ids, principalId, patience()))
  }

  async function issue (objectId: string, label: string) {
    const startsAt = new Date(Date.now() - 300_000)
    const endsAt = new Date(Date.now() + 90 * dayMs)
    return await settled(async () => await directory.issueSecret(objectId, label, startsAt, endsAt, patience()))
  }

  async function faultOf (promise: Promise<unknown>): Promise<DirectoryError> {
    const error = await promise.then(() => undefined, (error: unknown) => error)
    if (error instanceof DirectoryError) return error
    throw new Error('expected a DirectoryError', { cause: error })
  }

  await t.test('an application and its principal are made once, however often they are asked for', async t => {
    const { objectId, clientId, uniqueName, wanted, principalId } = await application(t)
    const renamed = { ...wanted, displayName: 'dcr-broker contract, renamed' }
    t.strictSame(await settled(async () => await directory.ensureApplication(uniqueName, renamed, patience())), { objectId, clientId })
    const found = await settled(async () => await directory.findApplication(uniqueName, patience()), found => found !== null)
    t.strictSame(found, { objectId, clientId })
    t.equal(await settled(async () => await directory.ensurePrincipal(clientId, wanted, patience())), principalId)
    t.not(objectId, clientId)
    t.not(objectId, principalId)
  })

  await t.test('an application that nobody made is not found', async t => {
    t.equal(await directory.findApplication(`dcr-${randomUUID()}`, patience()), null)
  })

  await t.test('a projection can be replaced, and one for an application that is gone is `missing`', async t => {
    const { objectId, wanted } = await application(t)
    const changed = { ...wanted, description: 'changed', redirectUris: { web: [], publicClient: [], spa: ['https://contract.example/spa'] } }
    await t.resolves(settled(async () => await directory.updateApplication(objectId, changed, patience())))
    t.match(await faultOf(directory.updateApplication(absent, changed, patience())), { fault: 'missing', outcomeUnknown: false })
  })

  await t.test('a secret is shown once, listed without its text, and gone after its removal, which may be repeated', async t => {
    const { objectId } = await application(t)
    const first = await issue(objectId, 'dcr:contract:1')
    const second = await issue(objectId, 'dcr:contract:2')
    t.ok(first.secretText.length >= 16)
    t.equal(first.hint, first.secretText.slice(0, 3))
    t.ok(Math.abs(first.expiresAt.getTime() - Date.now() - 90 * dayMs) < dayMs / 24)
    const listed = await settled(async () => await directory.listSecrets(objectId, patience()), secrets => secrets.length === 2)
    t.strictSame(
      new Set(listed.map(({ keyId, label }) => `${keyId} ${label}`)),
      new Set([`${first.keyId} dcr:contract:1`, `${second.keyId} dcr:contract:2`])
    )
    t.notOk(JSON.stringify(listed).includes(first.secretText))

    await settled(async () => await directory.revokeSecret(objectId, first.keyId, patience()))
    const isOnlySecond = (keyIds: string[]): boolean => keyIds.length === 1 && keyIds[0] === second.keyId
    const left = await settled(async () => (await directory.listSecrets(objectId, patience())).map(({ keyId }) => keyId), isOnlySecond)
    t.strictSame(left, [second.keyId])
    await t.resolves(settled(async () => await directory.revokeSecret(objectId, first.keyId, patience())), 'already gone')
    await t.resolves(directory.revokeSecret(absent, first.keyId, patience()), 'its application is gone')
  })

  await t.test('secrets of an application that is not there are `missing`', async t => {
    const issuing = directory.issueSecret(absent, 'dcr:contract:1', new Date(), new Date(Date.now() + dayMs), patience())
    t.match(await faultOf(issuing), { fault: 'missing', outcomeUnknown: false })
    t.match(await faultOf(directory.listSecrets(absent, patience())), { fault: 'missing' })
  })

  await t.test('a probe tells a secret that works from one that does not', async t => {
    const { objectId, clientId } = await application(t)
    const { secretText } = await issue(objectId, 'dcr:contract:1')
    t.equal(await settled(async () => await directory.probeSecret(clientId, secretText, patience()), works => works), true)
    t.equal(await directory.probeSecret(clientId, 'wrong~secret', patience()), false)
    t.equal(await directory.probeSecret(absent, secretText, patience()), false)
  })

  await t.test('a removed application is not found, comes back under its ids when it is ensured again, and is new after a purge', async t => {
    const { objectId, clientId, uniqueName, wanted, principalId } = await application(t)
    const gone = async (): Promise<unknown> =>
      await settled(async () => await directory.findApplication(uniqueName, patience()), found => found === null)
    await settled(async () => await directory.removeApplication(objectId, patience()))
    t.equal(await gone(), null)
    await t.resolves(directory.removeApplication(objectId, patience()), 'already gone')

    t.strictSame(await settled(async () => await directory.ensureApplication(uniqueName, wanted, patience())), { objectId, clientId })
    t.equal(await settled(async () => await directory.ensurePrincipal(clientId, wanted, patience())), principalId, 'and its principal with it')

    await settled(async () => await directory.removeApplication(objectId, patience()))
    t.equal(await gone(), null)
    await remove({ objectId, clientId }, principalId)
    await t.resolves(directory.purgeApplication({ objectId, clientId }, principalId, patience()), 'already gone')
    const again = await settled(async () => await directory.ensureApplication(uniqueName, wanted, patience()))
    t.not(again.objectId, objectId)
    await remove(again)
  })

  await t.test('every call ends with a DirectoryError when its signal aborts', async t => {
    const aborted = AbortSignal.abort()
    const wanted = wantedFor(randomUUID())
    const ids = { objectId: absent, clientId: absent }
    const calls: Record<keyof Directory, () => Promise<unknown>> = {
      ensureApplication: async () => await directory.ensureApplication('dcr-x', wanted, aborted),
      ensurePrincipal: async () => await directory.ensurePrincipal(absent, wanted, aborted),
      updateApplication: async () => await directory.updateApplication(absent, wanted, aborted),
      issueSecret: async () => await directory.issueSecret(absent, 'x', new Date(), new Date(), aborted),
      listSecrets: async () => await directory.listSecrets(absent, aborted),
      revokeSecret: async () => await directory.revokeSecret(absent, absent, aborted),
      findApplication: async () => await directory.findApplication('dcr-x', aborted),
      removeApplication: async () => await directory.removeApplication(absent, aborted),
      purgeApplication: async () => await directory.purgeApplication(ids, absent, aborted),
      probeSecret: async () => await directory.probeSecret(absent, 'x', aborted)
    }
    for (const [name, call] of Object.entries(calls)) t.match(await faultOf(call()), { fault: 'unavailable' }, name)
  })
}
