// A service's own registrations on the public listener: the routes of the operations API, behind another guard and cut down to what it has
// registered itself. Failures are problems here too.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { bearerAuthentication } from '../operations/authentication.ts'
import { operationsIdempotency } from '../operations/idempotency.ts'
import { ProblemError, sendProblem, sendUnknownRoute } from '../operations/problems.ts'
import { ownRegistrationRoutes, type RegistrationRoutesOptions } from '../operations/registrations/routes.ts'
import type { Place } from '../operations/registrations/route-schemas.ts'
import { LabelsOnly, ownRegistrationComponents } from '../operations/registrations/schemas.ts'
import { commonComponents } from '../operations/schemas.ts'
import type { Idempotency } from '../plugins/idempotency.ts'
import type { RecogniseRegistrant } from '../register/authentication.ts'
import { DEFAULT_PROVIDER, type Providers } from '../register/issuer.ts'
import { registerSecurityScheme } from '../register/route-schemas.ts'

export interface OwnRegistrationsOptions extends RegistrationRoutesOptions {
  /** Null: nobody we know at this provider. */
  recognise: RecogniseRegistrant
  providers: Providers
  idempotency: Idempotency
}

export const ownRegistrationsTag = { name: 'Own registrations', description: 'What a service has registered itself, as the operations API shows it. The scopes of its token decide what it may do.' }

/** Components of the document, referred to by name. */
export const ownRegistrationsComponents = [...commonComponents, ...ownRegistrationComponents, LabelsOnly]

const common = { guard: 'registrant' as const, tag: ownRegistrationsTag.name, scheme: registerSecurityScheme, what: 'token', infix: 'Own' }
const places = [
  ['/v2', { ...common, suffix: '', params: {} }],
  ['/t/:provider/v2', { ...common, suffix: 'AtProvider', params: { provider: Type.String({ description: 'Name of the provider, that is of the Entra tenant.' }) } }]
] as const satisfies ReadonlyArray<readonly [string, Place]>

/** Serves /v2/registrations, and /t/<provider>/v2/registrations for every provider but the default one. */
export async function ownRegistrations (server: FastifyInstance, options: OwnRegistrationsOptions): Promise<void> {
  for (const [prefix, place] of places) {
    await server.register(async scope => {
      scope.setErrorHandler(sendProblem)
      scope.setNotFoundHandler(sendUnknownRoute)
      await scope.register(bearerAuthentication, {
        what: place.what,
        recognise: async (bearer, request) => await options.recognise(providerIdOf(options.providers, request), bearer)
      })
      await scope.register(operationsIdempotency, { idempotency: options.idempotency })
      await scope.register(ownRegistrationRoutes, { ...options, place })
    }, { prefix })
  }
}

// One address per provider: the default one has no second name.
function providerIdOf (providers: Providers, request: FastifyRequest): string {
  const { provider: name } = request.params as { provider?: string }
  const provider = name === DEFAULT_PROVIDER ? null : providers.named(name ?? DEFAULT_PROVIDER)
  if (provider === null) throw new ProblemError(404, 'There is no such provider.')
  return provider.id
}
