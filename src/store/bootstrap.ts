// What must be in the database before the first request: the installation, the environment's provider with its default
// strategy, and the environment's callers. Safe to run on every start of every replica.
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { isV2Issuer } from '../administration/provider-place.ts'
import { DEFAULT_PROVIDER_NAME } from '../administration/provider-records.ts'
import { DEFAULT_POLICY_NAME } from '../registration/policy.ts'
import type { CallerKind } from '../registration/registration.ts'
import { keepCurrentVersions } from './policy-store.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface EnvironmentProvider {
  tenantId: string
  initialClientId: string
  /** The v1 issuer: what Konnect's strategy names. */
  issuer: string
}

/** A key of the environment, as digests only. */
export interface EnvironmentCaller {
  kind: CallerKind
  name: string
  scopes: string[]
  boundToProvider: boolean
  /** Of kind and key together, so that no two kinds share one; under every pepper in the keyring, the active one first. */
  digests: ReadonlyArray<{ pepperId: string, digest: Uint8Array }>
}

export interface Bootstrap {
  installationId: string
  providerId: string
  /** The provider has been taken into the database: what the environment says of it counts no more. */
  ignoresEnvironment: boolean
  /** Caller ids in the order of the keys given; null for a key that was revoked here: its tombstone wins over the environment. */
  callerIds: Array<string | null>
}

/** The database belongs to something else than the settings say. */
export class BootstrapError extends Error {
  constructor (message: string) {
    super(message)
    this.name = 'BootstrapError'
  }
}

/** The rows that every provider has from its first moment on. */
export function foundationOf (providerId: string, issuer: string, origin: 'environment' | 'database') {
  const version = isV2Issuer(issuer) ? 2 : 1
  return {
    // The seed page's form for v1 tokens, with the claim `appid`.
    strategy: {
      id: uuidv7(),
      providerId,
      name: 'default',
      origin,
      isDefault: true,
      issuer,
      credentialClaim: [version === 1 ? 'appid' : 'azp'],
      scopes: [],
      authMethods: ['client_credentials', 'bearer'],
      tokenVersion: version
    },
    // Open registrations belong to somebody too: one caller per provider, whom no key opens.
    anonymousCaller: {
      id: uuidv7(),
      kind: 'anonymous' satisfies CallerKind,
      name: 'open registration',
      origin: 'broker',
      keyDigest: createHash('sha256').update(`anonymous:${providerId}`).digest(),
      // Under no pepper that exists: its digest recognises nothing.
      pepperId: 'none',
      scopes: ['register'],
      providerId
    }
  }
}

export async function bootstrap (prisma: PrismaClient, provider: EnvironmentProvider, callers: readonly EnvironmentCaller[]): Promise<Bootstrap> {
  return await guarded(async () => {
    const installationId = await ensureInstallation(prisma)
    const { id: providerId, origin } = await ensureProvider(prisma, provider)
    // A second default strategy can't exist.
    await prisma.authStrategy.createMany({ data: [foundationOf(providerId, provider.issuer, 'environment').strategy], skipDuplicates: true })
    await ensureDefaultPolicy(prisma)
    await keepCurrentVersions(prisma)
    await ensureAnonymousCallers(prisma)
    const callerIds: Array<string | null> = []
    for (const caller of callers) callerIds.push(await ensureCaller(prisma, providerId, caller))
    return { installationId, providerId, ignoresEnvironment: origin === 'database', callerIds }
  })
}

async function ensureInstallation (prisma: PrismaClient): Promise<string> {
  // A second row can't exist (installation_single_row): of two replicas that start together one wins, both read the winner's.
  await prisma.installation.createMany({ data: [{ id: uuidv7() }], skipDuplicates: true })
  return (await prisma.installation.findFirstOrThrow()).id
}

async function ensureProvider (prisma: PrismaClient, wanted: EnvironmentProvider): Promise<{ id: string, origin: string }> {
  await prisma.provider.createMany({ data: [{ id: uuidv7(), name: DEFAULT_PROVIDER_NAME, origin: 'environment', ...wanted }], skipDuplicates: true })
  const row = await prisma.provider.findUniqueOrThrow({ where: { name: DEFAULT_PROVIDER_NAME } })
  if (row.origin === 'database') return row
  if (row.tenantId !== wanted.tenantId) {
    const registrations = await prisma.registration.count({ where: { providerId: row.id } })
    // Another tenant knows none of these clients: their rows would be undone or drift one by one.
    if (registrations > 0) {
      throw new BootstrapError(`This database holds ${registrations} registrations of tenant ${row.tenantId}, but AZURE_TENANT_ID is ${wanted.tenantId}. Use another database, or the tenant they belong to.`)
    }
  }
  if (row.issuer !== wanted.issuer) {
    const provider = { id: row.id, origin: 'environment' }
    await prisma.authStrategy.updateMany({ where: { provider, issuer: row.issuer }, data: { issuer: wanted.issuer, updatedAt: new Date() } })
  }
  // Somebody may take it into the database meanwhile.
  await prisma.provider.updateMany({ where: { id: row.id, origin: 'environment' }, data: { ...wanted, updatedAt: new Date() } })
  return row
}

async function ensureDefaultPolicy (prisma: PrismaClient): Promise<void> {
  // No rules of its own: what a policy does not say is what the release says.
  await prisma.policy.createMany({ data: [{ id: uuidv7(), name: DEFAULT_POLICY_NAME, rules: {} }], skipDuplicates: true })
}

async function ensureAnonymousCallers (prisma: PrismaClient): Promise<void> {
  const providers = await prisma.provider.findMany({ where: { deletedAt: null }, select: { id: true, issuer: true } })
  await prisma.caller.createMany({ data: providers.map(({ id, issuer }) => foundationOf(id, issuer, 'environment').anonymousCaller), skipDuplicates: true })
}

async function ensureCaller (prisma: PrismaClient, providerId: string, caller: EnvironmentCaller): Promise<string | null> {
  const known = await findCaller(prisma, caller)
  if (known !== null) {
    // A release may give the environment's keys a scope that they did not have.
    if (caller.scopes.some(scope => !known.scopes.includes(scope))) await prisma.caller.update({ where: { id: known.id }, data: { scopes: caller.scopes } })
    return known.revokedAt === null ? known.id : null
  }
  const active = caller.digests[0]
  if (active === undefined) throw new Error('A caller needs a digest')
  await prisma.caller.createMany({
    data: [{
      id: uuidv7(),
      kind: caller.kind,
      name: caller.name,
      origin: 'environment',
      keyDigest: Buffer.from(active.digest),
      pepperId: active.pepperId,
      scopes: caller.scopes,
      providerId: caller.boundToProvider ? providerId : null
    }],
    skipDuplicates: true
  })
  // Another replica may have been faster; no row at all would revoke the key without anybody having said so.
  const made = await findCaller(prisma, caller)
  if (made === null) throw new BootstrapError(`The key ${caller.name} is known to this database as another kind of caller. Replace it by a new one.`)
  return made.revokedAt === null ? made.id : null
}

async function findCaller (prisma: PrismaClient, caller: EnvironmentCaller) {
  return await prisma.caller.findFirst({
    where: { kind: caller.kind, keyDigest: { in: caller.digests.map(({ digest }) => Buffer.from(digest)) } },
    orderBy: { createdAt: 'asc' }
  })
}
