// Policies and their versions. They belong to the whole installation: whoever is bound to a provider may read and try them.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { InvalidValuesError } from '../../../administration/errors.ts'
import type { Policies } from '../../../administration/policies.ts'
import type { GivenRules, StoredPolicy } from '../../../administration/policies-port.ts'
import { rulesOf } from '../../../administration/policy-document.ts'
import { unstoredPolicy, type PolicyDryRun } from '../../../administration/policy-dry-run.ts'
import { toRequestedMetadata } from '../../../registration/metadata/requested-document.ts'
import { assertOfInstallation, callerOf, operatorOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { policyList } from './list-shape.ts'
import { presentPolicy, presentVersion } from './presenter.ts'
import {
  changePolicy, createPolicy, deletePolicy, dryRunPolicy, dryRunRules, listPolicies, listPolicyVersions, replacePolicy, rollBackPolicy, showPolicy,
  showPolicyVersion
} from './route-schemas.ts'
import { tagOf, whenSeen } from './seen-version.ts'

export interface PolicyRoutesOptions {
  policies: Policies
  dryRun: PolicyDryRun
}

export const policyRoutes: FastifyPluginAsyncTypebox<PolicyRoutesOptions> = async (server, { policies, dryRun }) => {
  const read = { config: { scope: 'read' } } as const
  const tryOut = { config: { scope: 'read', idempotent: false } } as const
  const change = { config: { scope: 'admin' }, onRequest: assertOfInstallation, preValidation: judgeRules } as const

  server.get('/policies', { schema: listPolicies, ...read, ...readByListQuery(server) }, async request => {
    const query = readListQuery(policyList, request.query)
    return presentPage(await policies.list(query, callerOf(request).providerId), presentPolicy, query, request.routeOptions.url ?? request.url, request.query)
  })

  server.post('/policies', { schema: createPolicy, ...change }, async (request, reply) => {
    const policy = await policies.create(operatorOf(request), request.body.name, givenRules(request.body.rules))
    return send(reply.code(201).header('location', `/v2/policies/${policy.id}`), policy)
  })

  server.get('/policies/:id', { schema: showPolicy, ...read }, async (request, reply) => send(reply, await policies.show(request.params.id, callerOf(request).providerId)))

  server.put('/policies/:id', { schema: replacePolicy, ...change }, async (request, reply) =>
    send(reply, await whenSeen(request, request.body.version, async seen =>
      await policies.replace(operatorOf(request), request.params.id, givenRules(request.body.rules), seen))))

  server.patch('/policies/:id', { schema: changePolicy, ...change }, async (request, reply) =>
    send(reply, await whenSeen(request, request.body.version, async seen =>
      await policies.change(operatorOf(request), request.params.id, givenRules(request.body.rules), seen))))

  server.post('/policies/:id/rollback', { schema: rollBackPolicy, ...change }, async (request, reply) =>
    send(reply, await whenSeen(request, request.body.version, async seen =>
      await policies.rollBack(operatorOf(request), request.params.id, request.body.to, seen))))

  server.delete('/policies/:id', { schema: deletePolicy, ...change }, async (request, reply) => {
    await whenSeen(request, undefined, async seen => await policies.remove(operatorOf(request), request.params.id, seen))
    return reply.code(204).send(undefined)
  })

  server.get('/policies/:id/versions', { schema: listPolicyVersions, ...read }, async request =>
    ({ data: (await policies.versions(request.params.id)).map(presentVersion) }))

  server.get('/policies/:id/versions/:version', { schema: showPolicyVersion, ...read }, async request =>
    presentVersion(await policies.version(request.params.id, Number(request.params.version))))

  server.post('/policies/:id/dry-run', { schema: dryRunPolicy, ...tryOut }, async request => {
    const policy = await policies.show(request.params.id, callerOf(request).providerId)
    const wanted = { policy, requested: toRequestedMetadata(request.body), providerName: request.query.provider ?? null }
    return dryRun(wanted, callerOf(request).providerId)
  })

  server.post('/policies/dry-run', { schema: dryRunRules, ...tryOut, preValidation: judgeRules }, async request => {
    const { rules, document } = request.body
    const wanted = { policy: unstoredPolicy(givenRules(rules)), requested: toRequestedMetadata(document), providerName: request.query.provider ?? null }
    return dryRun(wanted, callerOf(request).providerId)
  })
}

function send (reply: FastifyReply, policy: StoredPolicy) {
  reply.header('etag', tagOf(policy.version))
  return presentPolicy(policy)
}

// Before the schema: what it finds says less about what would be accepted, and names one fault only.
async function judgeRules ({ body }: FastifyRequest): Promise<void> {
  if (typeof body === 'object' && body !== null && 'rules' in body && typeof body.rules === 'object') givenRules(body.rules)
}

function givenRules (rules: unknown): GivenRules {
  const read = rulesOf(rules ?? {})
  if ('given' in read) return read.given
  throw new InvalidValuesError(read.faults.map(({ field, reason }) => ({ field: field === '' ? 'rules' : `rules.${field}`, reason })))
}
