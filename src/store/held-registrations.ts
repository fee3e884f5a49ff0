// Registrations for whoever shows their registration access token, read in one statement for all who ask at the same time.
import type { Registration } from '../registration/registration.ts'
import { createGatheredReads } from './gathered-reads.ts'
import { Prisma } from './generated/client.ts'
import { toRegistration, type CredentialRow, type RegistrationRow } from './rows.ts'
import type { RunStatement } from './statements.ts'
import { guarded } from './store-errors.ts'

export interface ShownManagementToken {
  providerId: string
  clientId: string
  /** SHA-256 of the token. */
  managementDigest: Uint8Array
}

/** A registration beside one of its credentials; the members of that one are null where there is none. */
type HeldRow = Omit<RegistrationRow, 'credentials'> & { name: string } & { [Name in keyof CredentialRow as `credential ${Name}`]: CredentialRow[Name] }

const columns = Prisma.sql`
  r.id, r.provider_id AS "providerId", r.strategy_id AS "strategyId", r.caller_id AS "callerId", r.policy_id AS "policyId", r.surface, r.state,
  r.metadata, r.display_name AS "displayName", r.description, r.tags, r.access_token_version AS "accessTokenVersion",
  r.web_redirect_uris AS "webRedirectUris", r.public_redirect_uris AS "publicRedirectUris", r.spa_redirect_uris AS "spaRedirectUris",
  r.entra_settings AS "entraSettings", r.account_enabled AS "accountEnabled", r.applied_enabled AS "appliedEnabled",
  r.desired_revision AS "desiredRevision", r.applied_revision AS "appliedRevision", r.object_id AS "objectId", r.client_id AS "clientId",
  r.principal_id AS "principalId", r.konnect, r.application_id AS "applicationId", r.verification, r.management_digest AS "managementDigest",
  r.previous_management_digest AS "previousDigest", r.sharing_key AS "sharingKey", r.delivery, r.attempts, r.last_fault AS "lastFault",
  r.stray_check_at AS "strayCheckAt", r.sweeps, r.purge_at AS "purgeAt", r.created_at AS "createdAt", r.updated_at AS "updatedAt",
  r.activated_at AS "activatedAt", r.renewed_at AS "renewedAt", r.last_used_at AS "lastUsedAt", r.seen_at AS "seenAt",
  r.disabled_at AS "disabledAt", r.disabled_by AS "disabledBy", r.ended_at AS "endedAt", r.labels, r.owner, r.adopted_at AS "adoptedAt",
  c.id AS "credential id", c.state AS "credential state", c.key_id AS "credential keyId", c.hint AS "credential hint",
  c.expires_at AS "credential expiresAt", c.created_at AS "credential createdAt", c.seal_version AS "credential sealVersion",
  c.seal_kid AS "credential sealKid", c.seal_wrapped_key AS "credential sealWrappedKey", c.seal_ciphertext AS "credential sealCiphertext",
  c.verifier AS "credential verifier", c.pepper_id AS "credential pepperId", c.erase_at AS "credential eraseAt",
  c.proved_at AS "credential provedAt", c.revoke_after AS "credential revokeAfter"`

/**
 * Without the credentials that are over: they are never deleted, a holder can make any number of them, and each row here repeats the
 * record. Resolves to null for an unknown client and for a token that is not its own: both cost the
 * same.
 */
export function createHeldRegistrations (run: RunStatement, monotonicMs: () => number): (shown: ShownManagementToken) => Promise<Registration | null> {
  const reads = createGatheredReads<ShownManagementToken, RegistrationRow>({
    nameOf,
    read: shown => guarded(async () => byName(await run<HeldRow>(Prisma.sql`
      SELECT t.provider_id || ' ' || t.client_id || ' ' || t.digest AS name, ${columns}
      FROM unnest(${shown.map(({ providerId }) => providerId)}::text[], ${shown.map(({ clientId }) => clientId)}::text[], ${shown.map(hexOf)}::text[])
        AS t(provider_id, client_id, digest)
      JOIN registration r ON r.provider_id = t.provider_id::uuid AND r.client_id = t.client_id::uuid
      LEFT JOIN credential c ON c.registration_id = r.id AND c.state NOT IN ('revoked', 'lost')
      WHERE decode(t.digest, 'hex') IN (r.management_digest, r.previous_management_digest)
      ORDER BY c.created_at`))),
    monotonicMs
  })
  return async shown => {
    const row = await reads.find(shown)
    // Made for each who asks: they change what they get.
    return row === null ? null : toRegistration(row)
  }
}

function byName (rows: readonly HeldRow[]): Map<string, RegistrationRow> {
  const found = new Map<string, RegistrationRow>()
  for (const row of rows) {
    const registration = found.get(row.name) ?? { ...row, credentials: [] }
    found.set(row.name, registration)
    if (row['credential id'] !== null) registration.credentials.push(credentialOf(row))
  }
  return found
}

function credentialOf (row: HeldRow): CredentialRow {
  return {
    id: row['credential id'],
    state: row['credential state'],
    keyId: row['credential keyId'],
    hint: row['credential hint'],
    expiresAt: row['credential expiresAt'],
    createdAt: row['credential createdAt'],
    sealVersion: row['credential sealVersion'],
    sealKid: row['credential sealKid'],
    sealWrappedKey: row['credential sealWrappedKey'],
    sealCiphertext: row['credential sealCiphertext'],
    verifier: row['credential verifier'],
    pepperId: row['credential pepperId'],
    eraseAt: row['credential eraseAt'],
    provedAt: row['credential provedAt'],
    revokeAfter: row['credential revokeAfter']
  }
}

function nameOf (shown: ShownManagementToken): string {
  return `${shown.providerId} ${shown.clientId} ${hexOf(shown)}`
}

function hexOf ({ managementDigest }: ShownManagementToken): string {
  return Buffer.from(managementDigest).toString('hex')
}
