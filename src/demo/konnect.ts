// Konnect, as far as a DCR bridge sees it.
export interface KonnectAnswer {
  status: number
  body: Record<string, unknown>
}

export type Konnect = (method: string, path: string, body?: object) => Promise<KonnectAnswer>

export function konnectAt (baseUrl: string, apiKey: string): Konnect {
  return async (method, path, body) => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      // Konnect names a JSON content type even where it sends no body.
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) as Record<string, unknown> }
  }
}

const ids = {
  portal_id: 'f1c2a3b4-0000-4000-8000-000000000001',
  organization_id: 'f1c2a3b4-0000-4000-8000-000000000002',
  developer_id: 'f1c2a3b4-0000-4000-8000-000000000003',
  auth_strategy_id: 'f1c2a3b4-0000-4000-8000-000000000004',
  dcr_provider_id: 'f1c2a3b4-0000-4000-8000-000000000005'
}

export function applicationPayload (changes: object = {}): object {
  return {
    client_name: 'Weather app',
    application_description: 'Shows the weather',
    redirect_uris: ['https://weather.example.com/callback'],
    grant_types: ['client_credentials', 'bearer', 'session'],
    scopes: [],
    token_endpoint_auth_method: 'client_secret_basic',
    ...ids,
    ...changes
  }
}

export function eventPayload (clientId: string, eventType: string, changes: object = {}): object {
  return {
    event_type: eventType,
    client_id: clientId,
    application_id: 'f1c2a3b4-0000-4000-8000-000000000006',
    application_name: 'Weather app',
    application_description: 'Shows the weather',
    ...ids,
    ...changes
  }
}
