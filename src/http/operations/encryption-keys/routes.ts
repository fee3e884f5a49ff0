// Key-encryption keys as operators see and change them. Each handler: use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { EncryptionKeys } from '../../../administration/encryption-keys.ts'
import type { Operator } from '../../../administration/operator.ts'
import { callerOf } from '../authentication.ts'
import { ProblemError } from '../problems.ts'
import { sourceAddressOf } from '../../source-address.ts'
import { presentKey, presentKeys, presentRewrap } from './presenter.ts'
import { activateEncryptionKey, listEncryptionKeys, retireEncryptionKey, rewrapSecrets } from './route-schemas.ts'

export interface EncryptionKeyRoutesOptions {
  encryptionKeys: EncryptionKeys
}

export const encryptionKeyRoutes: FastifyPluginAsyncTypebox<EncryptionKeyRoutesOptions> = async (server, { encryptionKeys }) => {
  server.get('/encryption-keys', { schema: listEncryptionKeys, config: { scope: 'read' } }, async () => presentKeys(await encryptionKeys.list()))

  server.post('/encryption-keys/:kid/activate', { schema: activateEncryptionKey, config: { scope: 'admin' } }, async request =>
    presentKey(await encryptionKeys.activate(request.params.kid, operatorOfAll(request))))

  server.post('/encryption-keys/:kid/retire', { schema: retireEncryptionKey, config: { scope: 'admin' } }, async request =>
    presentKey(await encryptionKeys.retire(request.params.kid, operatorOfAll(request))))

  server.post('/encryption-keys/rewrap', { schema: rewrapSecrets, config: { scope: 'admin' } }, async request =>
    presentRewrap(await encryptionKeys.rewrap(operatorOfAll(request))))
}

/** Keys belong to the whole installation. @throws ProblemError 403 for an operator of one provider */
function operatorOfAll (request: FastifyRequest): Operator {
  const caller = callerOf(request)
  if (caller.providerId !== null) throw new ProblemError(403, 'The key is bound to a provider; keys of the whole installation need one that is not.')
  return { actor: caller.id, requestId: request.id, sourceAddress: sourceAddressOf(request) }
}
