// Bodies of the providers' routes -> what the use cases want. What a schema can't say is judged here.
import type { FastifyRequest } from 'fastify'
import { AdministrationError } from '../../../administration/errors.ts'
import type { Operator } from '../../../administration/operator.ts'
import type { GivenCredential } from '../../../administration/provider-records.ts'
import type { WantedChange, WantedProvider } from '../../../administration/providers.ts'
import { callerOf } from '../authentication.ts'
import { invalidParametersError } from '../problems.ts'
import { sourceAddressOf } from '../../source-address.ts'
import type { NewCredentialBody, NewProviderBody, ProviderChangeBody } from './schemas.ts'

type DcrConfig = Omit<NewProviderBody['dcr_config'], 'initial_client_id'>

export function operatorOf (request: FastifyRequest): Operator {
  return { actor: callerOf(request).id, requestId: request.id, sourceAddress: sourceAddressOf(request) }
}

export function toWantedProvider (body: NewProviderBody): WantedProvider {
  const { name, display_name: displayName, issuer, authority_host: authorityHost, graph_base_url: graphBaseUrl, dcr_config: config, labels } = body
  const credential = credentialIn(config)
  if (credential === null) {
    throw invalidParametersError([{
      field: 'dcr_config.initial_client_secret', rule: 'required', source: 'body', reason: 'A credential is needed: initial_client_secret, initial_client_certificate or initial_client_federated.'
    }])
  }
  return {
    name,
    displayName: displayName ?? null,
    issuer,
    authorityHost: authorityHost ?? null,
    graphBaseUrl: graphBaseUrl ?? null,
    labels: labels ?? {},
    credential: credential(config.initial_client_id)
  }
}

export function toWantedChange (body: ProviderChangeBody): WantedChange {
  const { name, display_name: displayName, issuer, authority_host: authorityHost, graph_base_url: graphBaseUrl, dcr_config: config, labels } = body
  if (body.provider_type !== undefined && body.provider_type !== 'azureAd') throw invalid('The provider_type can\'t be changed.', 'provider_type')
  const credential = config === undefined ? null : credentialIn(config)
  return {
    ...(name === undefined ? {} : { name }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(authorityHost === undefined ? {} : { authorityHost }),
    ...(graphBaseUrl === undefined ? {} : { graphBaseUrl }),
    ...(labels === undefined ? {} : { labels }),
    ...(config?.initial_client_id === undefined ? {} : { clientId: config.initial_client_id }),
    ...(credential === null ? {} : { credential })
  }
}

/** @param providerClientId of the provider, for a credential that names none */
export function toGivenCredential (body: NewCredentialBody, providerClientId: string): GivenCredential {
  const { kind, client_id: clientId = providerClientId, secret, certificate, expires_at: expiresAt } = body
  if (kind !== 'secret' && secret !== undefined) throw invalid(`A ${kind} credential has no secret.`, 'secret')
  if (kind !== 'secret' && expiresAt !== undefined && expiresAt !== null) throw invalid('Only the end of a secret is given: a certificate has its own.', 'expires_at')
  if (kind !== 'certificate' && certificate !== undefined) throw invalid(`A ${kind} credential has no certificate.`, 'certificate')
  switch (kind) {
    case 'secret': return { kind, clientId, secret: needed(secret, 'secret'), expiresAt: dateOf(expiresAt) }
    case 'certificate': return { kind, clientId, pem: needed(certificate, 'certificate') }
    case 'federated': return { kind, clientId }
  }
}

/** The one credential in a dcr_config; null: there is none. */
function credentialIn (config: DcrConfig): ((clientId: string) => GivenCredential) | null {
  const { initial_client_secret: secret, initial_client_secret_expires_at: end, initial_client_certificate: pem, initial_client_federated: federated } = config
  if (config.initial_client_audience !== undefined) {
    throw invalid('A provider of the type azureAd takes no audience: the scope of a token request names the resource. Leave the member out.', 'dcr_config.initial_client_audience')
  }
  if ([secret !== undefined, pem !== undefined, federated === true].filter(Boolean).length > 1) {
    throw invalid('Exactly one credential is accepted: initial_client_secret, initial_client_certificate or initial_client_federated.', 'dcr_config')
  }
  if (secret === undefined && end !== undefined && end !== null) {
    throw invalid('The end of a secret is accepted together with the secret only.', 'dcr_config.initial_client_secret_expires_at')
  }
  if (secret !== undefined) return clientId => ({ kind: 'secret', clientId, secret, expiresAt: dateOf(end) })
  if (pem !== undefined) return clientId => ({ kind: 'certificate', clientId, pem })
  return federated === true ? clientId => ({ kind: 'federated', clientId }) : null
}

function needed (value: string | undefined, field: string): string {
  if (value === undefined) throw invalidParametersError([{ field, rule: 'required', source: 'body', reason: `"${field}" is needed for this kind.` }])
  return value
}

function dateOf (text: string | null | undefined): Date | null {
  return text === undefined || text === null ? null : new Date(text)
}

function invalid (message: string, field: string): AdministrationError {
  return new AdministrationError(message, 'invalid', field)
}
