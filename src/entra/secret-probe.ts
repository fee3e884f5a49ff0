// Asks the token endpoint whether a client's new secret works yet.
import type { Cloud } from './clouds.ts'
import { HttpFailure, type Http } from './http.ts'
import { identityError, identityFailure, isNotYet } from './identity-errors.ts'
import { guid } from './odata.ts'

const whose = 'a client\'s new secret'

/** True: it works. False: Entra does not know it yet. Throws DirectoryError for every other answer. */
export async function probeSecret (http: Http, cloud: Cloud, clientId: string, secretText: string, signal: AbortSignal): Promise<boolean> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: guid(clientId),
    client_secret: secretText,
    // Entra: a client may always ask for a token for itself; it needs no consent.
    scope: `${clientId}/.default`
  })
  try {
    const answer = await http.send({
      method: 'POST',
      url: cloud.tokenEndpoint,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: body.toString(),
      signal
    })
    if (answer.status === 200) return true
    if (isNotYet(answer)) return false
    throw identityError(whose, answer)
  } catch (error) {
    throw error instanceof HttpFailure ? identityFailure(whose, error) : error
  }
}
