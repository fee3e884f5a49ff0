// The operations API: every resource behind one guard.
import type { FastifyInstance } from 'fastify'
import type { RecogniseCaller } from '../callers.ts'
import { operatorAuthentication } from './authentication.ts'
import { registrationRoutes, type RegistrationRoutesOptions } from './registrations/routes.ts'

export interface OperationsApiOptions extends RegistrationRoutesOptions {
  recogniseCaller: RecogniseCaller
}

export async function operationsApi (server: FastifyInstance, { recogniseCaller, registrations }: OperationsApiOptions): Promise<void> {
  await server.register(operatorAuthentication, { recogniseCaller })
  await server.register(registrationRoutes, { registrations })
}
