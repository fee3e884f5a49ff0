// Every command by its name. docs/cli.md is generated from this table.
import type { Command } from './command.ts'
import { auditList } from './commands/audit-list.ts'
import { auditVerify } from './commands/audit-verify.ts'
import { callersBind } from './commands/callers-bind.ts'
import { callersCreate } from './commands/callers-create.ts'
import { callersList } from './commands/callers-list.ts'
import { callersRevoke } from './commands/callers-revoke.ts'
import { configCheck } from './commands/config-check.ts'
import { doctor } from './commands/doctor.ts'
import { exportCommand } from './commands/export.ts'
import { importCommand } from './commands/import.ts'
import { installationRenew } from './commands/installation-renew.ts'
import { installationShow } from './commands/installation-show.ts'
import { keyring } from './commands/keyring.ts'
import { keysActivate } from './commands/keys-activate.ts'
import { keysGenerate } from './commands/keys-generate.ts'
import { keysList } from './commands/keys-list.ts'
import { keysRetire } from './commands/keys-retire.ts'
import { keysRewrap } from './commands/keys-rewrap.ts'
import { migrate } from './commands/migrate.ts'
import { policiesDryRun } from './commands/policies-dry-run.ts'
import { policiesList } from './commands/policies-list.ts'
import { policiesSet } from './commands/policies-set.ts'
import { policiesShow } from './commands/policies-show.ts'
import { policiesVersions } from './commands/policies-versions.ts'
import { providersCreate } from './commands/providers-create.ts'
import { providersCredentialsActivate } from './commands/providers-credentials-activate.ts'
import { providersCredentialsAdd } from './commands/providers-credentials-add.ts'
import { providersCredentialsList } from './commands/providers-credentials-list.ts'
import { providersCredentialsRemove } from './commands/providers-credentials-remove.ts'
import { providersCredentialsVerify } from './commands/providers-credentials-verify.ts'
import { providersDelete } from './commands/providers-delete.ts'
import { providersImport } from './commands/providers-import.ts'
import { providersList } from './commands/providers-list.ts'
import { providersShow } from './commands/providers-show.ts'
import { providersUpdate } from './commands/providers-update.ts'
import { providersVerify } from './commands/providers-verify.ts'
import { reconcileAdopt } from './commands/reconcile-adopt.ts'
import { reconcilePurge } from './commands/reconcile-purge.ts'
import { reconcileRelease } from './commands/reconcile-release.ts'
import { reconcileReport } from './commands/reconcile-report.ts'
import { reconcileRun } from './commands/reconcile-run.ts'
import { registrationsDelete } from './commands/registrations-delete.ts'
import { registrationsDisable } from './commands/registrations-disable.ts'
import { registrationsEnable } from './commands/registrations-enable.ts'
import { registrationsList } from './commands/registrations-list.ts'
import { registrationsResume } from './commands/registrations-resume.ts'
import { registrationsShow } from './commands/registrations-show.ts'
import { scopesList } from './commands/scopes-list.ts'
import { scopesRemove } from './commands/scopes-remove.ts'
import { scopesSet } from './commands/scopes-set.ts'
import { serve } from './commands/serve.ts'
import { strategiesCreate } from './commands/strategies-create.ts'
import { strategiesDelete } from './commands/strategies-delete.ts'
import { strategiesKonnect } from './commands/strategies-konnect.ts'
import { strategiesList } from './commands/strategies-list.ts'
import { strategiesShow } from './commands/strategies-show.ts'
import { strategiesUpdate } from './commands/strategies-update.ts'
import { usageDeclare } from './commands/usage-declare.ts'
import { usageReport } from './commands/usage-report.ts'

/** By their first word, or by more where the first ones name what the last does something with. */
export const commands: Readonly<Record<string, Command>> = {
  serve,
  migrate,
  doctor,
  'config-check': configCheck,
  keyring,
  'installation show': installationShow,
  'installation renew': installationRenew,
  'audit list': auditList,
  'audit verify': auditVerify,
  'callers create': callersCreate,
  'callers list': callersList,
  'callers bind': callersBind,
  'callers revoke': callersRevoke,
  'keys generate': keysGenerate,
  'keys list': keysList,
  'keys activate': keysActivate,
  'keys rewrap': keysRewrap,
  'keys retire': keysRetire,
  'policies set': policiesSet,
  'policies show': policiesShow,
  'policies list': policiesList,
  'policies versions': policiesVersions,
  'policies dry-run': policiesDryRun,
  'providers list': providersList,
  'providers show': providersShow,
  'providers create': providersCreate,
  'providers update': providersUpdate,
  'providers delete': providersDelete,
  'providers verify': providersVerify,
  'providers import': providersImport,
  'providers credentials list': providersCredentialsList,
  'providers credentials add': providersCredentialsAdd,
  'providers credentials verify': providersCredentialsVerify,
  'providers credentials activate': providersCredentialsActivate,
  'providers credentials remove': providersCredentialsRemove,
  'registrations list': registrationsList,
  'registrations show': registrationsShow,
  'registrations disable': registrationsDisable,
  'registrations enable': registrationsEnable,
  'registrations resume': registrationsResume,
  'registrations delete': registrationsDelete,
  'reconcile run': reconcileRun,
  'reconcile report': reconcileReport,
  'reconcile adopt': reconcileAdopt,
  'reconcile purge': reconcilePurge,
  'reconcile release': reconcileRelease,
  export: exportCommand,
  import: importCommand,
  'scopes set': scopesSet,
  'scopes list': scopesList,
  'scopes remove': scopesRemove,
  'strategies list': strategiesList,
  'strategies show': strategiesShow,
  'strategies create': strategiesCreate,
  'strategies update': strategiesUpdate,
  'strategies delete': strategiesDelete,
  'strategies konnect': strategiesKonnect,
  'usage declare': usageDeclare,
  'usage report': usageReport
}
