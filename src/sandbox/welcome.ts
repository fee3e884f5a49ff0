// What the sandbox prints when it is ready: what stands in for what, where it listens, the keys, and a line to copy.
import type { CompleteSettings } from '../settings/complete-settings.ts'

export interface Addresses {
  publicUrl: string
  operationsUrl: string
}

export function welcome (settings: CompleteSettings, replaced: readonly string[], { publicUrl, operationsUrl }: Addresses): string {
  const { konnectApiKeys: [konnectKey], adminApiKeys: [operatorKey], initialAccessTokens: [initialToken] } = settings.callers
  const canRegister = settings.registrationMode !== 'disabled'
  const { tenantId, authorityHost } = settings.entra.tenant
  return `
This is a sandbox: nothing leaves this machine. It stands in for
${replaced.map(line => `  ${line}`).join('\n')}

  Konnect bridge    ${publicUrl}/konnect      X-API-KEY: ${konnectKey}
  Operations        ${operationsUrl}/docs     Authorization: Bearer ${operatorKey}
${canRegister ? `  Registration      ${publicUrl}/register     Authorization: Bearer ${initialToken}\n` : ''}\
  Token endpoints   ${authorityHost}/${tenantId}/oauth2/token (v1, resource=api://gateway-v1)
                    ${authorityHost}/${tenantId}/oauth2/v2.0/token (v2, scope=api://gateway-v2/.default)
${simulatedApplication(settings)}
Register a client:

  curl -s ${publicUrl}/konnect -H 'X-API-KEY: ${konnectKey}' -H 'Content-Type: application/json' -d '{"client_name":"My first client"}'
${canRegister ? registrationLine(publicUrl, initialToken) : ''}`
}

/** RFC 7591: what any OAuth library sends. */
function registrationLine (publicUrl: string, initialToken: string | undefined): string {
  const document = JSON.stringify({ client_name: 'My second client', redirect_uris: ['https://client.example/callback'] })
  return `
  curl -s ${publicUrl}/register -H 'Authorization: Bearer ${initialToken}' -H 'Content-Type: application/json' -d '${document}'
`
}

/** With it docs/walkthrough.md makes the simulator's tenant another provider. Nobody's secret: the simulator made it up. */
function simulatedApplication ({ sandbox, entra: { tenant: { clientId, credential } } }: CompleteSettings): string {
  if (sandbox?.replace.tenant !== true || credential.kind !== 'secret') return ''
  return `  Broker in Entra   client id ${clientId}, secret ${credential.secret}\n`
}
