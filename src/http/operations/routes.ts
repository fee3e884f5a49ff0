// The operations API: every resource behind one guard.
import type { FastifyInstance } from 'fastify'
import type { RecogniseCaller } from '../callers.ts'
import { operatorAuthentication } from './authentication.ts'
import { providerRoutes, type ProviderRoutesOptions } from './providers/routes.ts'
import { registrationRoutes, type RegistrationRoutesOptions } from './registrations/routes.ts'

export interface OperationsApiOptions extends RegistrationRoutesOptions, ProviderRoutesOptions {
  recogniseCaller: RecogniseCaller
}

export async function operationsApi (server: FastifyInstance, { recogniseCaller, registrations, dcrProviders }: OperationsApiOptions): Promise<void> {
  await server.register(operatorAuthentication, { recogniseCaller })
  await server.register(registrationRoutes, { registrations })
  await server.register(providerRoutes, { dcrProviders })
}
