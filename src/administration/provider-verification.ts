// Whether the broker can work at a provider, found out by doing it: a token, an application with principal and secret, and its removal.
import { deadlineIn, type Deadline } from '../registration/deadline.ts'
import { asSeenAt, waitBeforeRepeat } from '../registration/failures.ts'
import { DirectoryError, type ApplicationIds, type Clock, type Directory, type Log } from '../registration/ports.ts'
import { noEntraSettings, type DirectoryApplication } from '../registration/registration.ts'
import { expiryOf, leftBehind, passed, refused, secretRefused, tokenRefused, type Finding, type FindingContext } from './provider-findings.ts'
import type { ProviderTenants, TenantConnection } from './provider-port.ts'
import type { ProviderCredentialRecord, ProviderRecord } from './provider-records.ts'

export interface Verification {
  /** Nothing has failed. */
  ok: boolean
  findings: Finding[]
}

/** @param credential null: the environment's, or none. Never throws for what it finds. */
export type VerifyProvider = (provider: ProviderRecord, credential: ProviderCredentialRecord | null) => Promise<Verification>

export interface VerificationParts {
  tenants: Pick<ProviderTenants, 'connect'>
  clock: Clock
  log: Log
  installationId: () => Promise<string>
  attemptTimeoutMs: number
  /** The longest life of a secret that the broker issues: a policy may forbid it. */
  secretLifetimeDays: number
}

const CHECKS_MS = 20_000
/** Beyond the checks: what they made is removed in any case. */
const CLEANUP_MS = 15_000
const SHORTEST_ATTEMPT_MS = 100
/** Entra: the clocks of its servers may be behind ours. */
const CLOCK_SKEW_MS = 5 * 60_000
const DAY_MS = 86_400_000

export function createVerification (parts: VerificationParts): VerifyProvider {
  const { tenants, clock, installationId } = parts
  return async (provider, credential) => {
    const context: FindingContext = {
      tenantId: provider.tenantId,
      clientId: credential?.clientId ?? provider.initialClientId,
      authorityHost: provider.authorityHost ?? 'the sign-in host of the environment'
    }
    const id = clock.uuid()
    const run = new Run(parts, context, { uniqueName: `dcr-verify-${id}`, wanted: applicationOf(id, await installationId()) })
    const isAccepted = await run.inTenant(() => tenants.connect(provider, credential))
    const expiry = expiryOf(credential?.expiresAt ?? null, clock.now(), isAccepted)
    const [token, ...others] = run.findings
    const findings = [token, expiry, ...others].filter(finding => finding !== null && finding !== undefined)
    return { ok: findings.every(({ outcome }) => outcome !== 'failed'), findings }
  }
}

interface TestApplication { uniqueName: string, wanted: DirectoryApplication }

class Run {
  readonly findings: Finding[] = []
  readonly #parts: VerificationParts
  readonly #context: FindingContext
  readonly #test: TestApplication
  readonly #startedAtMs: number

  constructor (parts: VerificationParts, context: FindingContext, test: TestApplication) {
    this.#parts = parts
    this.#context = context
    this.#test = test
    this.#startedAtMs = parts.clock.monotonicMs()
  }

  /** Resolves to whether the credential was accepted. */
  async inTenant (connect: () => TenantConnection): Promise<boolean> {
    let connection: TenantConnection | null = null
    try {
      const deadline = deadlineIn(CHECKS_MS, this.#parts.clock)
      connection = connect()
      const { directory, authenticate } = connection
      await this.#attempt(signal => authenticate(signal), deadline)
      this.findings.push(passed('token', 'Entra ID accepts the credential.'))
      await this.#inDirectory(directory, deadline)
      return true
    } catch (error) {
      this.findings.push(tokenRefused(this.#known(error), this.#context))
      return false
    } finally {
      await connection?.close()
    }
  }

  async #inDirectory (directory: Directory, deadline: Deadline): Promise<void> {
    let ids: ApplicationIds | null = null
    let principalId: string | null = null
    let check: 'permission' | 'principal' | 'secret' = 'permission'
    let isSurelyAbsent = false
    try {
      const made = ids = await this.#attempt(signal => directory.ensureApplication(this.#test.uniqueName, this.#test.wanted, signal), deadline)
      this.findings.push(passed('permission', 'The broker may create applications.'))
      check = 'principal'
      principalId = await this.#attempt(signal => directory.ensurePrincipal(made.clientId, this.#test.wanted, signal), deadline)
      this.findings.push(passed('principal', 'The broker may create service principals.'))
      check = 'secret'
      await this.#attempt(signal => this.#issueSecret(directory, made, signal), deadline)
      this.findings.push(passed('secret', `The tenant allows secrets that last ${this.#parts.secretLifetimeDays} days.`))
    } catch (error) {
      const known = this.#known(error)
      isSurelyAbsent = ids === null && !known.outcomeUnknown
      this.findings.push(check === 'secret' ? secretRefused(known, this.#context, this.#parts.secretLifetimeDays) : refused(check, known, this.#context))
    }
    if (!isSurelyAbsent) await this.#cleanUp(directory, ids, principalId)
  }

  async #issueSecret (directory: Directory, { objectId }: ApplicationIds, signal: AbortSignal): Promise<void> {
    const { clock, secretLifetimeDays } = this.#parts
    const nowMs = clock.now().getTime()
    await directory.issueSecret(objectId, `dcr:verify:${this.#test.uniqueName}`, new Date(nowMs - CLOCK_SKEW_MS), new Date(nowMs + secretLifetimeDays * DAY_MS), signal)
  }

  async #cleanUp (directory: Directory, known: ApplicationIds | null, principalId: string | null): Promise<void> {
    const deadline = deadlineIn(CLEANUP_MS, this.#parts.clock)
    try {
      const ids = known ?? await this.#attempt(signal => directory.findApplication(this.#test.uniqueName, signal), deadline)
      if (ids !== null) {
        await this.#attempt(signal => directory.removeApplication(ids.objectId, signal), deadline)
        await this.#attempt(signal => directory.purgeApplication(ids, principalId, signal), deadline)
      }
      this.findings.push(passed('cleanup', 'The test application is gone.'))
    } catch (error) {
      this.findings.push(leftBehind(this.#known(error), this.#test.uniqueName))
    }
  }

  async #attempt<T> (work: (signal: AbortSignal) => Promise<T>, deadline: Deadline): Promise<T> {
    const { clock, attemptTimeoutMs } = this.#parts
    for (let attempt = 0; ; attempt++) {
      try {
        return await work(AbortSignal.timeout(Math.max(SHORTEST_ATTEMPT_MS, Math.floor(Math.min(attemptTimeoutMs, deadline.remainingMs())))))
      } catch (thrown) {
        if (!(thrown instanceof DirectoryError)) throw thrown
        const error = asSeenAt(clock.monotonicMs() - this.#startedAtMs, thrown)
        const waitMs = waitBeforeRepeat(error, attempt, clock.random())
        if (waitMs === null || waitMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) throw error
        await clock.sleep(waitMs)
      }
    }
  }

  /** The log has what the finding leaves out. Whatever is no DirectoryError is a fault of ours. */
  #known (error: unknown): DirectoryError {
    if (!(error instanceof DirectoryError)) throw error
    this.#parts.log.info({ err: error, tenantId: this.#context.tenantId }, 'A verification has found a fault')
    return error
  }
}

function applicationOf (id: string, installationId: string): DirectoryApplication {
  return {
    displayName: 'DCR Broker verification',
    description: 'Made by the verification of a provider, and removed at once.',
    tags: ['dcr-broker', `dcr-inst:${installationId}`, `dcr-verify:${id}`],
    accessTokenVersion: 1,
    redirectUris: { web: [], publicClient: [], spa: [] },
    ...noEntraSettings,
    enabled: true
  }
}
