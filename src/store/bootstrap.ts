// What must be in the database before the first request: the installation, the environment's provider with its default
// strategy, and the environment's callers. Safe to run on every start of every replica.
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { DEFAULT_POLICY_NAME } from '../registration/policy.ts'
import type { CallerKind } from '../registration/registration.ts'
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

const PROVIDER_NAME = 'default'

export async function bootstrap (prisma: PrismaClient, provider: EnvironmentProvider, callers: readonly EnvironmentCaller[]): Promise<Bootstrap> {
  return await guarded(async () => {
    const installationId = await ensureInstallation(prisma)
    const providerId = await ensureProvider(prisma, provider)
    await ensureDefaultStrategy(prisma, providerId, provider)
    await ensureDefaultPolicy(prisma)
    await ensureAnonymousCallers(prisma)
    const callerIds: Array<string | null> = []
    for (const caller of callers) callerIds.push(await ensureCaller(prisma, providerId, caller))
    return { installationId, providerId, callerIds }
  })
}

async function ensureInstallation (prisma: PrismaClient): Promise<string> {
  // A second row can't exist (installation_single_row): of two replicas that start together one wins, both read the winner's.
  await prisma.installation.createMany({ data: [{ id: uuidv7() }], skipDuplicates: true })
  return (await prisma.installation.findFirstOrThrow()).id
}

async function ensureProvider (prisma: PrismaClient, wanted: EnvironmentProvider): Promise<string> {
  await prisma.provider.createMany({ data: [{ id: uuidv7(), name: PROVIDER_NAME, origin: 'environment', ...wanted }], skipDuplicates: true })
  const row = await prisma.provider.findUniqueOrThrow({ where: { name: PROVIDER_NAME } })
  if (row.tenantId !== wanted.tenantId) {
    const registrations = await prisma.registration.count({ where: { providerId: row.id } })
    // Another tenant knows none of these clients: their rows would be undone or drift one by one.
    if (registrations > 0) {
      throw new BootstrapError(`This database holds ${registrations} registrations of tenant ${row.tenantId}, but AZURE_TENANT_ID is ${wanted.tenantId}. Use another database, or the tenant they belong to.`)
    }
  }
  await prisma.provider.update({ where: { id: row.id }, data: { ...wanted, updatedAt: new Date() } })
  return row.id
}

async function ensureDefaultStrategy (prisma: PrismaClient, providerId: string, provider: EnvironmentProvider): Promise<void> {
  // Part of what every provider has: the seed page's form, v1 tokens with the claim `appid`.
  await prisma.authStrategy.createMany({
    data: [{
      id: uuidv7(),
      providerId,
      name: PROVIDER_NAME,
      origin: 'environment',
      isDefault: true,
      issuer: provider.issuer,
      credentialClaim: ['appid'],
      scopes: [],
      authMethods: ['client_credentials', 'bearer'],
      tokenVersion: 1
    }],
    skipDuplicates: true
  })
}

async function ensureDefaultPolicy (prisma: PrismaClient): Promise<void> {
  // No rules of its own: what a policy does not say is what the release says.
  await prisma.policy.createMany({ data: [{ id: uuidv7(), name: DEFAULT_POLICY_NAME, rules: {} }], skipDuplicates: true })
}

// Open registrations belong to somebody too: one caller per provider, whom no key opens.
async function ensureAnonymousCallers (prisma: PrismaClient): Promise<void> {
  const providers = await prisma.provider.findMany({ select: { id: true } })
  await prisma.caller.createMany({
    data: providers.map(({ id }) => ({
      id: uuidv7(),
      kind: 'anonymous' satisfies CallerKind,
      name: 'open registration',
      origin: 'broker',
      keyDigest: createHash('sha256').update(`anonymous:${id}`).digest(),
      // Under no pepper that exists: its digest recognises nothing.
      pepperId: 'none',
      scopes: ['register'],
      providerId: id
    })),
    skipDuplicates: true
  })
}

async function ensureCaller (prisma: PrismaClient, providerId: string, caller: EnvironmentCaller): Promise<string | null> {
  const known = await findCaller(prisma, caller)
  if (known !== null) return known.revokedAt === null ? known.id : null
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
