// One Entra tenant as the core's Directory: the calls of this folder, bound to one Graph, one token endpoint, one connection pool.
import type { Directory } from '../registration/ports.ts'
import { ensureApplication, ensurePrincipal, findApplication, removeApplication, setEnabled, updateApplication } from './application-calls.ts'
import type { Cloud } from './clouds.ts'
import { purgeApplication } from './deleted-objects.ts'
import { syncFederatedIdentities } from './federated-identities.ts'
import { findForeignApplication, holdsPermissions } from './foreign-applications.ts'
import type { GraphClient } from './graph-client.ts'
import type { Http } from './http.ts'
import { syncGrants } from './permission-grants.ts'
import { issueSecret, listSecrets, revokeSecret } from './secret-calls.ts'
import { probeSecret } from './secret-probe.ts'
import { listTagged, readTagged } from './tagged-applications.ts'

export function createEntraDirectory ({ graph, http, cloud }: { graph: GraphClient, http: Http, cloud: Cloud }): Directory {
  return {
    ensureApplication: async (uniqueName, wanted, signal) => await ensureApplication(graph, uniqueName, wanted, signal),
    ensurePrincipal: async (clientId, wanted, signal) => await ensurePrincipal(graph, clientId, wanted, signal),
    updateApplication: async (objectId, wanted, signal) => await updateApplication(graph, objectId, wanted, signal),
    syncFederatedIdentities: async (objectId, wanted, signal) => await syncFederatedIdentities(graph, objectId, wanted, signal),
    syncGrants: async (principalId, grants, signal) => await syncGrants(graph, principalId, grants, signal),
    setEnabled: async (principalId, enabled, signal) => await setEnabled(graph, principalId, enabled, signal),
    issueSecret: async (objectId, label, startsAt, endsAt, signal) => await issueSecret(graph, objectId, label, startsAt, endsAt, signal),
    listSecrets: async (objectId, signal) => await listSecrets(graph, objectId, signal),
    revokeSecret: async (objectId, keyId, signal) => await revokeSecret(graph, objectId, keyId, signal),
    findApplication: async (uniqueName, signal) => await findApplication(graph, uniqueName, signal),
    findForeignApplication: async (clientId, signal) => await findForeignApplication(graph, clientId, signal),
    listTagged: async (tag, after, signal) => await listTagged(graph, tag, after, signal),
    readTagged: async (clientId, signal) => await readTagged(graph, clientId, signal),
    holdsPermissions: async (principalId, signal) => await holdsPermissions(graph, principalId, signal),
    removeApplication: async (objectId, signal) => await removeApplication(graph, objectId, signal),
    purgeApplication: async (ids, principalId, signal) => await purgeApplication(graph, ids, principalId, signal),
    probeSecret: async (clientId, secretText, signal) => await probeSecret(http, cloud, clientId, secretText, signal)
  }
}
