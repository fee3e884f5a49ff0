// Graph's errors: one class, the error object on the wire, and the refusals that more than one route gives.

export interface GraphErrorDetail {
  code: string
  message: string
  target: string
}

export class GraphError extends Error {
  readonly status: number
  readonly code: string
  readonly details: GraphErrorDetail[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor (
    status: number, code: string, message: string,
    options: { details?: GraphErrorDetail[], headers?: Record<string, string> } = {}
  ) {
    super(message)
    this.status = status
    this.code = code
    this.details = options.details
    this.headers = options.headers ?? {}
  }

  /** The body, in the form of every Graph v1.0 error. */
  toBody (ids: { date: Date, requestId: string, clientRequestId: string }): object {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.details === undefined ? {} : { details: this.details }),
        innerError: {
          date: ids.date.toISOString().slice(0, 19),
          'request-id': ids.requestId,
          'client-request-id': ids.clientRequestId
        }
      }
    }
  }
}

export const badRequest = (message: string): GraphError => new GraphError(400, 'Request_BadRequest', message)

export const notFound = (id: string): GraphError => new GraphError(404, 'Request_ResourceNotFound',
  `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`)

export const denied = (): GraphError => new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')

export const invalidValue = (property: string, resource: string, why: string): GraphError => {
  const message = `Invalid value specified for property '${property}' of resource '${resource}'.`
  return new GraphError(400, 'Request_BadRequest', message, { details: [{ code: 'InvalidValue', message: why, target: property }] })
}

/** Entra: a 400, not a 409, and also when the holder is soft-deleted. */
export const nameTaken = (property: string): GraphError => {
  const message = `Another object with the same value for property ${property} already exists.`
  return new GraphError(400, 'Request_BadRequest', message, { details: [{ code: 'ObjectConflict', message, target: property }] })
}

export const sameKeyValue = (property: string): GraphError => {
  const message = `The service principal cannot be created, updated, or restored because the ${property} is already in use.`
  return new GraphError(409, 'Request_MultipleObjectsWithSameKeyValue', message, {
    details: [{ code: 'ConflictingObjects', message, target: property }]
  })
}

export const noBackingApplication = (appId: string): GraphError => {
  const message = `The appId '${appId}' of the service principal does not reference a valid application object.`
  return new GraphError(400, 'Request_BadRequest', message, { details: [{ code: 'NoBackingApplicationObject', message, target: 'appId' }] })
}

export const backingApplicationDenied = (): GraphError => new GraphError(403, 'Authorization_RequestDenied',
  'When using this permission, the backing application of the service principal being created must in the local tenant')

export const concurrencyViolation = (): GraphError => new GraphError(409, 'Directory_ConcurrencyViolation',
  'Error due to concurrent requests being made to the tenant. Please wait briefly and retry.')

export const quotaExceeded = (scope: 'Principal' | 'Tenant'): GraphError => new GraphError(403, 'Directory_QuotaExceeded',
  `The directory object quota limit for the ${scope} has been exceeded. Please ask your administrator to increase the quota limit or delete objects to reduce the used quota.`)

export const unsupportedQuery = (message: string): GraphError => new GraphError(400, 'Request_UnsupportedQuery', message)

export const invalidToken = (message: string): GraphError => new GraphError(401, 'InvalidAuthenticationToken', message, {
  headers: {
    'www-authenticate': 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ' +
      'client_id="00000003-0000-0000-c000-000000000000"'
  }
})
