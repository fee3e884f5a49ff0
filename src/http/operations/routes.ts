// The operations API: every resource behind one guard, with what the document says of each.
import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import type { RecogniseCaller } from '../callers.ts'
import type { Idempotency } from '../plugins/idempotency.ts'
import { adoptionRoutes, type AdoptionRoutesOptions } from './adoptions/routes.ts'
import { adoptionComponents } from './adoptions/schemas.ts'
import { auditRoutes, type AuditRoutesOptions } from './audit-events/routes.ts'
import { auditComponents } from './audit-events/schemas.ts'
import { operatorAuthentication } from './authentication.ts'
import { callersTag } from './callers/route-schemas.ts'
import { callerRoutes, type CallerRoutesOptions } from './callers/routes.ts'
import { callerComponents } from './callers/schemas.ts'
import { encryptionKeyRoutes, type EncryptionKeyRoutesOptions } from './encryption-keys/routes.ts'
import { encryptionKeyComponents } from './encryption-keys/schemas.ts'
import { operationsIdempotency } from './idempotency.ts'
import { policyRoutes, type PolicyRoutesOptions } from './policies/routes.ts'
import { policyComponents } from './policies/schemas.ts'
import { providerRoutes, type ProviderRoutesOptions } from './providers/routes.ts'
import { providerComponents } from './providers/schemas.ts'
import { reconciliationRoutes, type ReconciliationRoutesOptions } from './reconciliation/routes.ts'
import { reconciliationComponents } from './reconciliation/schemas.ts'
import { registrationRoutes, type RegistrationRoutesOptions } from './registrations/routes.ts'
import { registrationComponents } from './registrations/schemas.ts'
import { transferRoutes, type TransferRoutesOptions } from './registrations/transfer-routes.ts'
import { transferComponents } from './registrations/transfer-schemas.ts'
import { commonComponents } from './schemas.ts'
import { strategyRoutes, type StrategyRoutesOptions } from './strategies/routes.ts'
import { strategyComponents } from './strategies/schemas.ts'

/** What stands behind the resources. */
export type OperationsResources = RegistrationRoutesOptions & ProviderRoutesOptions & CallerRoutesOptions & AuditRoutesOptions & EncryptionKeyRoutesOptions &
  StrategyRoutesOptions & PolicyRoutesOptions & AdoptionRoutesOptions & TransferRoutesOptions & ReconciliationRoutesOptions

export interface OperationsApiOptions {
  idempotency: Idempotency
  recogniseCaller: RecogniseCaller
  resources: OperationsResources
}

export async function operationsApi (server: FastifyInstance, { recogniseCaller, resources, idempotency }: OperationsApiOptions): Promise<void> {
  const { registrations, registrar, adoptions, dcrProviders, strategies, policies, dryRun, callers, audit, encryptionKeys, reconciler } = resources
  await server.register(operatorAuthentication, { recogniseCaller })
  await server.register(operationsIdempotency, { idempotency })
  await server.register(registrationRoutes, { registrations, registrar })
  await server.register(transferRoutes, { registrations, registrar })
  await server.register(adoptionRoutes, { adoptions })
  await server.register(providerRoutes, { dcrProviders })
  await server.register(strategyRoutes, { strategies })
  await server.register(policyRoutes, { policies, dryRun })
  await server.register(callerRoutes, { callers })
  await server.register(auditRoutes, { audit })
  await server.register(encryptionKeyRoutes, { encryptionKeys })
  await server.register(reconciliationRoutes, { reconciler })
}

/** Groups of operations in the document, in the order they are shown. */
export const operationsTags = [
  { name: 'Registrations', description: 'Registered clients and where their Entra applications stand.' },
  { name: 'Adoption', description: 'Existing Entra applications that may come into the broker\'s care.' },
  { name: 'Reconciliation', description: 'How Entra and the database agree, and what becomes of what they do not.' },
  { name: 'DCR providers', description: 'The Entra tenants in which the broker registers clients, and how it proves itself there.' },
  { name: 'Auth strategies', description: 'How registrations are translated and how their tokens are recognised, in Konnect\'s form.' },
  { name: 'Policies', description: 'What callers of RFC 7591 may register, and what it was before.' },
  callersTag,
  { name: 'Audit', description: 'Who did what, when.' },
  { name: 'Encryption keys', description: 'Which key seals secrets, and which one may go.' }
]

/** Components of the document, referred to by name. */
// Some resources take the same documents.
export const operationsComponents = [...new Set<TSchema>([
  ...commonComponents, ...registrationComponents, ...providerComponents, ...strategyComponents, ...policyComponents, ...callerComponents,
  ...auditComponents, ...encryptionKeyComponents, ...adoptionComponents, ...transferComponents, ...reconciliationComponents
])]
