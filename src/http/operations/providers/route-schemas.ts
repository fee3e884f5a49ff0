// What each route of the providers takes and answers: the document, and validation where the schema can say it.
import Type from 'typebox'
import { ref, type DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures, conflict, noContent, notFound } from '../answers.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { byId, uuid, word } from '../schemas.ts'
import { providerList } from './list-shape.ts'
import { CredentialList, CredentialView, NewCredential, NewProvider, ProviderChange, ProviderList, ProviderView, VerificationView } from './schemas.ts'

const providers = { tags: ['DCR providers'] }
const reading = { ...providers, security: [{ operatorKey: ['read'] }] }
const administering = { ...providers, security: [{ operatorKey: ['admin'] }] }

const closed = { additionalProperties: false } as const
const ofProvider = byId('provider')
const ofCredential = {
  params: Type.Object({ id: uuid('Id of the provider.'), credentialId: uuid('Id of the credential.') }),
  querystring: Type.Object({}, closed)
}
const forced = (description: string) => Type.Object({ force: Type.Optional(word(['true', 'false'], description)) }, closed)
const READ_ONLY = 'It is defined by the environment'

export const listProviders = {
  ...reading,
  operationId: 'listDcrProviders',
  summary: 'List DCR providers',
  description: 'Newest first unless sorted otherwise. Filters are joined by and.',
  querystring: listQuerySchema(providerList),
  response: { 200: answer(ProviderList, 'A page of providers.'), ...commonFailures }
} satisfies DescribedRoute

export const createProvider = {
  ...administering,
  operationId: 'createDcrProvider',
  summary: 'Make a DCR provider',
  description: 'It can be used at once by every replica, and has a default auth strategy. Verify it next. Addresses other than those of Microsoft\'s clouds, of the environment and of this machine are refused: the credential is sent there.',
  body: ref(NewProvider),
  response: { 201: answer(ProviderView, 'The provider.'), ...conflict('There is a provider of this name.'), ...commonFailures }
} satisfies DescribedRoute

export const showProvider = {
  ...reading,
  operationId: 'showDcrProvider',
  summary: 'Show a DCR provider',
  ...ofProvider,
  response: { 200: answer(ProviderView, 'The provider.'), ...notFound('provider'), ...commonFailures }
} satisfies DescribedRoute

export const changeProvider = {
  ...administering,
  operationId: 'changeDcrProvider',
  summary: 'Change a DCR provider',
  description: 'initial_client_secret takes the place of the credential in use at once, and erases it; to change it without a risk add a credential, verify it and activate it. Another issuer, sign-in host or initial_client_id needs a credential in the same request, and another issuer or host is refused while registrations exist. Another name is refused while clients of /register hold addresses with it.',
  ...ofProvider,
  body: ref(ProviderChange),
  response: {
    200: answer(ProviderView, 'The provider.'), ...notFound('provider'), ...conflict(`${READ_ONLY}, the name is taken, or registrations are in the way.`), ...commonFailures
  }
} satisfies DescribedRoute

export const deleteProvider = {
  ...administering,
  operationId: 'deleteDcrProvider',
  summary: 'Delete a DCR provider',
  description: 'Refused while it is in use: by registrations that are not ended, callers that are not revoked, or auth strategies beside the default one. With force=true it is deleted all the same: its callers are revoked, nobody registers there any more, and the broker touches the tenant no more. Its clients and their applications in Entra ID stay exactly as they are and go on working; their registrations stay listed. In any case its credentials are erased and its name is free again. What was deleted but not yet purged in Entra ID, Entra ID purges 30 days after its deletion.',
  params: ofProvider.params,
  querystring: forced('Also while it is in use.'),
  response: { 204: noContent('It is deleted.'), ...notFound('provider'), ...conflict(`${READ_ONLY}, it is the default one, or it is in use.`), ...commonFailures }
} satisfies DescribedRoute

export const verifyProvider = {
  ...administering,
  operationId: 'verifyDcrProvider',
  summary: 'Verify a DCR provider',
  description: 'Really: gets a token, makes an application with principal and secret, and removes them. What it finds wrong is in the answer, which takes up to half a minute.',
  ...ofProvider,
  response: { 200: answer(VerificationView, 'What was found, also when it is not ok.'), ...notFound('provider'), ...commonFailures }
} satisfies DescribedRoute

export const importProvider = {
  ...administering,
  operationId: 'importDcrProvider',
  summary: 'Take the environment\'s provider into the database',
  description: 'It is kept with its credential, sealed, and can be changed from then on. AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential beside them are ignored, with a warning at each start.',
  ...ofProvider,
  response: { 200: answer(ProviderView, 'The provider.'), ...notFound('provider'), ...conflict('It is kept in the database already.'), ...commonFailures }
} satisfies DescribedRoute

export const listCredentials = {
  ...reading,
  operationId: 'listDcrProviderCredentials',
  summary: 'List the broker\'s credentials at a provider',
  description: 'Those that are not removed; none of the environment\'s.',
  ...ofProvider,
  response: { 200: answer(CredentialList, 'The credentials.'), ...notFound('provider'), ...commonFailures }
} satisfies DescribedRoute

export const addCredential = {
  ...administering,
  operationId: 'addDcrProviderCredential',
  summary: 'Add a credential',
  description: 'It stands by: verify it, activate it, and remove the former one later.',
  ...ofProvider,
  body: ref(NewCredential),
  response: { 201: answer(CredentialView, 'The credential.'), ...notFound('provider'), ...conflict(`${READ_ONLY}, or it has too many.`), ...commonFailures }
} satisfies DescribedRoute

export const verifyCredential = {
  ...administering,
  operationId: 'verifyDcrProviderCredential',
  summary: 'Verify a credential',
  description: 'As the verification of the provider, with this credential, whether it is in use or stands by.',
  ...ofCredential,
  response: { 200: answer(VerificationView, 'What was found, also when it is not ok.'), ...notFound('credential'), ...conflict(`${READ_ONLY}.`), ...commonFailures }
} satisfies DescribedRoute

export const activateCredential = {
  ...administering,
  operationId: 'activateDcrProviderCredential',
  summary: 'Switch to a credential',
  description: 'The former one stands by; requests at hand end undisturbed. Refused while it has never passed a verification, unless force=true.',
  params: ofCredential.params,
  querystring: forced('Also when it has never passed a verification.'),
  response: { 200: answer(CredentialView, 'The credential.'), ...notFound('credential'), ...conflict(`${READ_ONLY}, or it has never passed a verification.`), ...commonFailures }
} satisfies DescribedRoute

export const removeCredential = {
  ...administering,
  operationId: 'removeDcrProviderCredential',
  summary: 'Remove a credential',
  description: 'Erases it here. In Entra ID it stays until somebody removes it there.',
  ...ofCredential,
  response: { 204: noContent('It is erased.'), ...notFound('credential'), ...conflict(`${READ_ONLY}, or it is in use.`), ...commonFailures }
} satisfies DescribedRoute
