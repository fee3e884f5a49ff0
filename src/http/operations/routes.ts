// The operations API: every resource behind one guard.
import type { FastifyInstance } from 'fastify'
import type { RecogniseCaller } from '../callers.ts'
import { operatorAuthentication } from './authentication.ts'
import { callerRoutes, type CallerRoutesOptions } from './callers/routes.ts'
import { providerRoutes, type ProviderRoutesOptions } from './providers/routes.ts'
import { registrationRoutes, type RegistrationRoutesOptions } from './registrations/routes.ts'

/** What stands behind the resources. */
export type OperationsResources = RegistrationRoutesOptions & ProviderRoutesOptions & CallerRoutesOptions

export interface OperationsApiOptions {
  recogniseCaller: RecogniseCaller
  resources: OperationsResources
}

export async function operationsApi (server: FastifyInstance, { recogniseCaller, resources }: OperationsApiOptions): Promise<void> {
  const { registrations, dcrProviders, callers } = resources
  await server.register(operatorAuthentication, { recogniseCaller })
  await server.register(registrationRoutes, { registrations })
  await server.register(providerRoutes, { dcrProviders })
  await server.register(callerRoutes, { callers })
}
