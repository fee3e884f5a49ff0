// Promise 4: where secrets are is said once, in the schemas, and the log believes it.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { markedMembers, memberFile, membersOf, SECRET_MEMBERS_PATH } from '../../scripts/marked-members.ts'
import { documentNames, type DocumentName } from '../../scripts/openapi-documents.ts'
import { secretMembers } from '../../src/log-redaction.ts'
import { secretNames, settingNames } from '../../src/settings/schema.ts'

const documents = Object.fromEntries(await Promise.all(documentNames.map(async name =>
  [name, JSON.parse(await readFile(`openapi/${name}.json`, 'utf8'))] as const))) as Record<DocumentName, { components: { schemas: object } }>

t.test('S4 the list of secret members is what the schemas mark now (node --import=tsx scripts/secret-members.ts)', async t => {
  const marked = await markedMembers()
  t.equal(await readFile(SECRET_MEMBERS_PATH, 'utf8'), memberFile(marked))
  t.same(marked.filter(name => !secretMembers.includes(name)), [], 'the log knows every one')
})

t.test('S4 what is censored is decided here: a name more or less is a change of this list', async t => {
  t.same([...secretMembers].sort(), [
    'ADMIN_API_KEYS', 'AZURE_CLIENT_SECRET', 'Authorization', 'DATABASE_URL', 'GATEWAY_API_KEYS', 'INITIAL_ACCESS_TOKENS', 'KONNECT_API_KEYS', 'X-API-KEY', 'X-Api-Key',
    'accessToken', 'access_token', 'adminApiKeys', 'api-key', 'apiKey', 'apiKeys', 'api_key', 'apikey', 'assertion', 'authorization', 'azureClientSecret',
    'certificate', 'clientAssertion', 'clientCertificate', 'clientSecret', 'client_assertion', 'client_secret', 'code_verifier', 'connectionString', 'cookie',
    'databaseUrl', 'device_code', 'federatedToken', 'federated_token', 'gatewayApiKeys', 'idToken', 'id_token', 'idempotency-key', 'idempotencyKey', 'initialAccessToken',
    'initialAccessTokens', 'initialClientCertificate', 'initialClientSecret', 'initial_access_token', 'initial_client_certificate', 'initial_client_secret',
    'konnectApiKeys', 'ocp-apim-subscription-key', 'passphrase', 'password', 'pem', 'pepper', 'plaintext', 'privateKey', 'private_key', 'proxy-authorization',
    'refreshToken', 'refresh_token', 'registrationAccessToken', 'registration_access_token', 'secret', 'secretText', 'secret_text', 'set-cookie',
    'software_statement', 'token', 'x-api-key', 'x-gateway-key', 'xApiKey', 'xGatewayKey'
  ])
})

t.test('S4 secrets stand in the documents exactly where they have to be', async t => {
  const secretsOf = (name: DocumentName) => pathsOfSecrets(documents[name].components.schemas)
  t.same(secretsOf('public'), [
    'ClientReplacement.client_secret', 'KonnectApplication.client_secret', 'KonnectSecret.client_secret', 'KonnectSecretWithId.client_secret',
    'RegisteredClient.client_secret', 'RegisteredClient.registration_access_token', 'RotatedSecret.client_secret'
  ])
  t.same(secretsOf('operations'), [
    'CreatedCaller.token', 'DcrProviderChange.dcr_config.initial_client_certificate', 'DcrProviderChange.dcr_config.initial_client_secret',
    'ImportReport.client_secret', 'NewDcrProvider.dcr_config.initial_client_certificate', 'NewDcrProvider.dcr_config.initial_client_secret',
    'NewProviderCredential.certificate', 'NewProviderCredential.secret', 'RotatedSecret.client_secret'
  ])
  t.same(secretsOf('gateway'), ['IntrospectionRequest.token'])
})

const soundsSecret = /secret|token|key|jwk|password|passphrase|credential|assertion|certificate|pem|pepper/i

/** Members of schemas, parameters and settings that sound like a secret, and why they are none. */
const harmless: Readonly<Record<string, string>> = {
  client_secret_expires_at: 'a time',
  initial_client_secret_expires_at: 'a time',
  secret_lifetime_days: 'a number',
  secret_id: 'Entra\'s keyId',
  secretId: 'the same, in a path',
  secrets: 'the list whose rows have ids and times, and the secret when it is new: marked there',
  disclose_secret: 'yes or no',
  key_id: 'Entra\'s keyId',
  key: 'a name that the file of an import gives its line',
  in_keyring: 'yes or no',
  jwks: 'public keys; a private one is refused',
  jwks_uri: 'an address',
  credential: 'what kind it is and when it ends',
  credentials: 'the same, and hints',
  credentialId: 'an id in a path',
  credential_claim: 'the name of a claim',
  entra_federated_identity_credentials: 'whose tokens count: issuer and subject',
  rotate_management_token: 'yes or no',
  check_secrets_at_entra: 'yes or no',
  token_type: 'a word',
  token_type_hint: 'a word',
  token_version: 'a number',
  token_endpoint: 'an address',
  token_endpoint_auth_method: 'the name of a method',
  token_endpoint_auth_methods: 'names of methods',
  token_endpoint_auth_methods_supported: 'names of methods',
  token_endpoint_auth_signing_alg: 'the name of an algorithm',
  token_endpoint_auth_signing_alg_values_supported: 'names of algorithms',
  id_token_signed_response_alg: 'the name of an algorithm',
  id_token_signing_alg_values_supported: 'names of algorithms',
  'filter[labels.<key>]': 'the name of a label',
  ENCRYPTION_KEYRING_FILE: 'a path',
  AZURE_CLIENT_CERTIFICATE_PATH: 'a path',
  AZURE_FEDERATED_TOKEN_FILE: 'a path',
  REGISTER_TOKEN_AUDIENCE: 'audiences',
  REGISTER_TOKEN_ROLE: 'the name of an app role',
  OPERATOR_TOKEN_AUDIENCE: 'audiences',
  OPERATOR_TOKEN_ROLES: 'names of app roles',
  KONNECT_SECRET_LIFETIME_DAYS: 'a number',
  REGISTER_SECRET_LIFETIME_DAYS: 'a number',
  MAX_SECRETS_PER_CLIENT: 'a number',
  PROBE_NEW_SECRETS: 'yes or no'
}

t.test('S4 no member of a schema, no parameter and no setting that sounds like a secret goes unmarked', async t => {
  const members = documentNames.flatMap(name => membersOf(documents[name]))
  const unmarked = members.filter(({ isSecret }) => !isSecret).map(({ name }) => name)
  const settings = settingNames.filter(name => !secretNames.includes(name))
  const found = [...new Set([...unmarked, ...settings])].filter(name => soundsSecret.test(name))
  t.same(found.filter(name => !Object.hasOwn(harmless, name)), [], 'mark it x-secret, or say here why it is none')
  t.same(Object.keys(harmless).filter(name => !found.includes(name)), [], 'nothing stands here that is marked or gone')
  // A name is a secret everywhere or nowhere: the log knows names only.
  t.same([...new Set(members.filter(({ isSecret }) => isSecret).map(({ name }) => name))].filter(name => unmarked.includes(name)), [])
})

/** Dotted paths of the members marked x-secret. */
function pathsOfSecrets (value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'x-secret' in value && value['x-secret'] === true ? [path.filter(part => part !== 'properties').join('.')] : []
  return [...own, ...Object.entries(value).flatMap(([name, member]) => pathsOfSecrets(member, [...path, name]))].sort()
}
