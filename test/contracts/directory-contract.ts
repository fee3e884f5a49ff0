// The laws of the Directory port (src/registration/ports.ts), for every implementation: run on the simulator, and on a real tenant if there is one.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { DirectoryError, type ApplicationIds, type Directory } from '../../src/registration/ports.ts'
import type { Certificate, DirectoryApplication, FederatedIdentity, PermissionGrants, ResourceAccess } from '../../src/registration/registration.ts'
import { cleared, freshCertificate, rich, trust, wantedFor } from '../entra/directory-samples.ts'

export interface DirectoryUnderTest {
  directory: Directory
  /** Passes the time a directory needs to replicate; called between looks only. */
  replication: () => Promise<void>
  /** Permissions that the broker may grant in this directory, of either type; null: it may grant none. */
  resource: ResourceAccess | null
}

const absent = 'ffffffff-ffff-4fff-8fff-ffffffffffff'
const dayMs = 86_400_000
const patience = (): AbortSignal => AbortSignal.timeout(30_000)

/** Runs the suite as subtests of `t`. Everything it makes is removed for good at the end. */
export async function directoryContract (t: Test, { directory, replication, resource }: DirectoryUnderTest): Promise<void> {
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

  async function application (t: Test, change: Partial<DirectoryApplication> = {}) {
    const registrationId = randomUUID()
    const uniqueName = `dcr-${registrationId}`
    const wanted = wantedFor(registrationId, change)
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

  await t.test('an application is found by its appId with its principal and its tags, and not when nobody made it', async t => {
    const { objectId, clientId, principalId, wanted } = await application(t)
    const seen = await settled(async () => await directory.findForeignApplication(clientId, patience()), seen => seen !== null && seen.principalId !== null)
    t.strictSame(seen, { objectId, clientId, principalId, displayName: wanted.displayName, tags: wanted.tags })
    t.equal(await directory.findForeignApplication(absent, patience()), null)
  })

  await t.test('a principal that was given anything holds permissions, another one does not', { skip: resource === null && 'nothing may be granted here' }, async t => {
    if (resource === null) return
    for (const type of ['Role', 'Scope'] as const) {
      const { principalId } = await application(t)
      const holds = async (): Promise<boolean> => await settled(async () => await directory.holdsPermissions(principalId, patience()))
      t.equal(await holds(), false)
      const granted = [{ ...resource, permissions: resource.permissions.filter(permission => permission.type === type) }]
      await settled(async () => await directory.syncGrants(principalId, { granted, revoked: [] }, patience()))
      t.equal(await settled(holds, held => held), true, type)
    }
    t.match(await faultOf(directory.holdsPermissions(absent, patience())), { fault: 'missing', outcomeUnknown: false })
  })

  await t.test('a projection can be replaced, and one for an application that is gone is `missing`', async t => {
    const { objectId, wanted } = await application(t)
    const changed = { ...wanted, description: 'changed', redirectUris: { web: [], publicClient: [], spa: ['https://contract.example/spa'] } }
    await t.resolves(settled(async () => await directory.updateApplication(objectId, changed, patience())))
    t.match(await faultOf(directory.updateApplication(absent, changed, patience())), { fault: 'missing', outcomeUnknown: false })
  })

  await t.test('an application may come with pages, a fallback and permissions, and lose them again', async t => {
    const { objectId, clientId, uniqueName, wanted } = await application(t, rich)
    const bare = wantedFor(uniqueName.replace('dcr-', ''), cleared)
    await t.resolves(settled(async () => await directory.updateApplication(objectId, bare, patience())))
    t.strictSame(await settled(async () => await directory.ensureApplication(uniqueName, wanted, patience())), { objectId, clientId })
  })

  await t.test('certificates are replaced as a whole, and what is no certificate is `rejected`', async t => {
    const { objectId, wanted } = await application(t)
    const send = async (certificates: Certificate[]): Promise<void> =>
      await settled(async () => await directory.updateApplication(objectId, { ...wanted, certificates }, patience()))
    const first = freshCertificate()
    await t.resolves(send([first]))
    await t.resolves(send([first, freshCertificate()]), 'one that is there already is sent again')
    await t.resolves(send([]))
    t.match(await faultOf(send([{ ...first, der: 'AAAA' }])), { fault: 'rejected', outcomeUnknown: false })
  })

  await t.test('federated identities are made equal to what is wanted, which may be repeated', async t => {
    const { objectId } = await application(t)
    const sync = async (...wanted: FederatedIdentity[]): Promise<void> =>
      await settled(async () => await directory.syncFederatedIdentities(objectId, wanted, patience()))
    await t.resolves(sync(trust(1), trust(2)))
    await t.resolves(sync(trust(1), trust(2)))
    await t.resolves(sync(trust(2, 'api://elsewhere'), trust(3)), 'an issuer and subject change their audience')
    await t.resolves(sync())
    await t.resolves(sync())
    t.match(await faultOf(directory.syncFederatedIdentities(absent, [trust(1)], patience())), { fault: 'missing', outcomeUnknown: false })
  })

  await t.test('one issuer and subject for two audiences, or more identities than Entra takes, are refused for good', async t => {
    const { objectId } = await application(t)
    const sync = async (wanted: FederatedIdentity[]): Promise<void> =>
      await settled(async () => await directory.syncFederatedIdentities(objectId, wanted, patience()))
    const many = Array.from({ length: 21 }, (_, index) => trust(index))
    await t.resolves(sync(many.slice(0, 20)))
    t.match(await faultOf(sync(many)), { fault: /^(quota|rejected)$/ })
    await t.resolves(sync([trust(1)]))
    t.match(await faultOf(sync([trust(1), trust(1, 'api://elsewhere')])), { fault: 'rejected' })
  })

  await t.test('permissions are granted and taken back, which may be repeated', { skip: resource === null && 'nothing may be granted here' }, async t => {
    if (resource === null) return
    const { principalId } = await application(t)
    const sync = async (grants: PermissionGrants): Promise<void> => await settled(async () => await directory.syncGrants(principalId, grants, patience()))
    const [first, ...others] = resource.permissions
    if (first === undefined) throw new Error('a resource without permissions')
    const [one, rest] = [[{ ...resource, permissions: [first] }], [{ ...resource, permissions: others }]]
    for (const [granted, revoked] of [[one, []], [[resource], []], [rest, one], [[], [resource]]] as const) {
      for (const name of ['once', 'again']) await t.resolves(sync({ granted: [...granted], revoked: [...revoked] }), name)
    }
    for (const { id, type } of resource.permissions) {
      const granted = [{ ...resource, permissions: [{ id, type }] }]
      t.match(await faultOf(directory.syncGrants(absent, { granted, revoked: [] }, patience())), { fault: 'missing', outcomeUnknown: false })
    }
  })

  await t.test('a permission that nobody offers is `rejected`, and taking it back is success', async t => {
    const { principalId } = await application(t)
    for (const type of ['Role', 'Scope'] as const) {
      for (const resourceAppId of [absent, ...resource === null ? [] : [resource.resourceAppId]]) {
        const access = [{ resourceAppId, permissions: [{ id: absent, type }] }]
        t.match(await faultOf(directory.syncGrants(principalId, { granted: access, revoked: [] }, patience())), { fault: 'rejected', outcomeUnknown: false })
        await t.resolves(settled(async () => await directory.syncGrants(principalId, { granted: [], revoked: access }, patience())))
      }
    }
  })

  await t.test('a disabled client gets no tokens, an enabled one does again, and a principal that is gone is `missing`', async t => {
    const { objectId, clientId, principalId, wanted } = await application(t)
    const { secretText } = await issue(objectId, 'dcr:contract:1')
    const probe = async (): Promise<boolean | string> =>
      await directory.probeSecret(clientId, secretText, patience()).catch((error: unknown) => error instanceof DirectoryError ? error.fault : 'no fault')
    const set = async (enabled: boolean): Promise<void> => await settled(async () => await directory.setEnabled(principalId, enabled, patience()))
    t.equal(await settled(probe, works => works === true), true)
    await set(false)
    await t.resolves(set(false), 'disabled already')
    t.equal(await settled(probe, works => works === 'unauthenticated'), 'unauthenticated')
    t.equal(await settled(async () => await directory.ensurePrincipal(clientId, wanted, patience())), principalId)
    t.equal(await settled(probe, works => works === 'unauthenticated'), 'unauthenticated', 'ensuring the principal does not enable it')
    await set(true)
    t.equal(await settled(probe, works => works === true), true)
    t.match(await faultOf(directory.setEnabled(absent, true, patience())), { fault: 'missing', outcomeUnknown: false })
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
    const anything: ResourceAccess = { resourceAppId: absent, permissions: [{ id: absent, type: 'Role' }] }
    const calls: Record<keyof Directory, () => Promise<unknown>> = {
      ensureApplication: async () => await directory.ensureApplication('dcr-x', wanted, aborted),
      ensurePrincipal: async () => await directory.ensurePrincipal(absent, wanted, aborted),
      updateApplication: async () => await directory.updateApplication(absent, wanted, aborted),
      syncFederatedIdentities: async () => await directory.syncFederatedIdentities(absent, [trust(1)], aborted),
      syncGrants: async () => await directory.syncGrants(absent, { granted: [], revoked: [anything] }, aborted),
      setEnabled: async () => await directory.setEnabled(absent, false, aborted),
      issueSecret: async () => await directory.issueSecret(absent, 'x', new Date(), new Date(), aborted),
      listSecrets: async () => await directory.listSecrets(absent, aborted),
      revokeSecret: async () => await directory.revokeSecret(absent, absent, aborted),
      findApplication: async () => await directory.findApplication('dcr-x', aborted),
      findForeignApplication: async () => await directory.findForeignApplication(absent, aborted),
      listTagged: async () => await directory.listTagged('x', null, aborted),
      readTagged: async () => await directory.readTagged(absent, aborted),
      holdsPermissions: async () => await directory.holdsPermissions(absent, aborted),
      removeApplication: async () => await directory.removeApplication(absent, aborted),
      purgeApplication: async () => await directory.purgeApplication(ids, absent, aborted),
      probeSecret: async () => await directory.probeSecret(absent, 'x', aborted)
    }
    for (const [name, call] of Object.entries(calls)) t.match(await faultOf(call()), { fault: 'unavailable' }, name)
  })
}
