// The reconciler's report on the wire of the operations API.
import Type, { type Static } from 'typebox'
import type { FindingKind, RunCounts, Verdict } from '../../../reconciliation/port.ts'
import { example } from '../../example-values.ts'
import { nullable, ref } from '../../plugins/openapi.ts'
import { namesOf, text, time, uuid, word } from '../schemas.ts'

const kinds = namesOf<FindingKind>({ unknown_application: true, late_create: true, application_missing: true, stray_password: true, unknown_password: true })
const verdicts = namesOf<Verdict>({ removed: true, drifted: true, waits: true, reported: true, held: true })
const count = (description: string) => Type.Integer({ description })

const exampleCounts = {
  applications: 1204,
  unknown: 1,
  late: 0,
  missing: 1,
  strays: 0,
  unknown_strays: 0,
  removed: 0,
  drifted: 1,
  strays_removed: 0,
  reaped: 2,
  disabled: 0,
  ended: 0
}
const exampleFinding = {
  kind: 'unknown_application',
  client_id: '0c9a4f6e-5b2d-4e17-8a3c-6d1f9b7e2c50',
  registration_id: '01a2164f-c580-7f20-9b4e-8d2c6a1f3e70',
  display_name: 'Orders',
  appeared_at: example.setUpAt,
  count: 1
}
const otherInstallations = [{ installation: '5e0d3c8a-7b41-4f29-9a6c-2d8e1f4b7c03', applications: 37 }]

export const ReconciliationCountsView = Type.Object({
  applications: count('Applications with the broker\'s tag, whichever installation made them.'),
  unknown: count('Of this installation, without a registration.'),
  late: count('Of registrations that have ended.'),
  missing: count('Registrations whose application is not in Entra.'),
  strays: count('Passwords of credentials that are over.'),
  unknown_strays: count('Passwords with the broker\'s label that the database has never known.'),
  removed: count('Late applications that were deleted and purged.'),
  drifted: count('Registrations that are `drifted` now.'),
  strays_removed: count('Registrations whose stray passwords were removed.'),
  reaped: count('Clients of Konnect\'s Verify button that were ended.'),
  disabled: count('Clients that were never linked and are disabled now.'),
  ended: count('Such clients whose grace is over, and that are ended now.')
} satisfies Record<Snake<keyof RunCounts>, unknown>, { $id: 'ReconciliationCounts', description: 'What a run has seen and done.', examples: [exampleCounts] })

const findingMembers = {
  kind: word(kinds, 'What it is; the manual says what becomes of each.'),
  client_id: uuid('appId of the application.'),
  registration_id: uuid('Registration that it belongs, or belonged, to.'),
  display_name: text('Its name in Entra, or the one it should have.'),
  appeared_at: nullable(time('When it was made, as Entra says; null: it is not there.')),
  count: count('Passwords, for passwords; else 1.')
}

export const ReconciliationFindingView = Type.Object({
  ...findingMembers,
  first_seen_at: time('When a run first saw it.'),
  last_seen_at: time('When the last one did.'),
  looks: count('Runs in a row that saw it.')
}, {
  $id: 'ReconciliationFinding',
  description: 'Something that Entra and the database disagree about.',
  examples: [{ ...exampleFinding, first_seen_at: '2026-11-26T07:00:00.000Z', last_seen_at: '2026-11-26T09:00:00.000Z', looks: 3 }]
})

export const DryRunView = Type.Object({
  at: time('When it ended.'),
  would_hold: Type.Boolean({ description: 'Whether the provider is on hold, or a run would put it there.' }),
  counts: ref(ReconciliationCountsView),
  findings: Type.Array(Type.Object({ ...findingMembers, verdict: word(verdicts, 'What a run would do now. `waits`: it has to be seen again. `reported`: operators decide. `held`: nothing, until the hold is released.') }))
}, {
  $id: 'ReconciliationDryRun',
  description: 'What a run would do. Nothing was changed.',
  examples: [{ at: '2026-11-26T09:10:00.000Z', would_hold: false, counts: exampleCounts, findings: [{ ...exampleFinding, verdict: 'reported' }] }]
})

const exampleReport = {
  provider: example.providerName,
  running: false,
  started_at: '2026-11-26T09:00:00.000Z',
  finished_at: '2026-11-26T09:00:04.000Z',
  duration_ms: 4000,
  fault: null,
  on_hold: false,
  held_at: null,
  held_for: null,
  counts: exampleCounts,
  other_installations: otherInstallations,
  findings: [{ ...exampleFinding, first_seen_at: '2026-11-26T07:00:00.000Z', last_seen_at: '2026-11-26T09:00:00.000Z', looks: 3 }],
  findings_total: 1
}

export const ReconciliationReportView = Type.Object({
  provider: text('Name of the provider.'),
  running: Type.Boolean({ description: 'Whether a run is under way.' }),
  started_at: nullable(time('When the latest run began; null: none has.')),
  finished_at: nullable(time('When a run last came to its end.')),
  duration_ms: nullable(Type.Number({ description: 'How long that one took.' })),
  fault: nullable(text('Why the latest run stopped before its end.')),
  on_hold: Type.Boolean({ description: 'Whether nothing is removed until an operator releases the hold.' }),
  held_at: nullable(time('Since when.')),
  held_for: nullable(uuid('appId of the application that is newer than the database.')),
  counts: Type.Optional(ref(ReconciliationCountsView)),
  other_installations: Type.Array(Type.Object({
    installation: nullable(text('Its id; null: the tag alone, on something that no broker has made.')), applications: count('How many.')
  }), { description: 'Applications with the broker\'s tag that are not this installation\'s: never touched.' }),
  findings: Type.Array(ref(ReconciliationFindingView), { description: 'The newest 200.' }),
  findings_total: count('How many there are.'),
  dry_run: Type.Optional(ref(DryRunView))
}, { $id: 'ReconciliationReport', description: 'How Entra and the database agree at one provider.', examples: [exampleReport] })

export const ReconciliationReportList = Type.Object({
  data: Type.Array(ref(ReconciliationReportView), { description: 'By the name of the provider.' }),
  meta: Type.Object({
    page: Type.Object({ size: Type.Integer(), number: Type.Integer(), total: Type.Integer(), next: Type.Null() }, { description: 'There is one page.' })
  })
}, { $id: 'ReconciliationReportList', description: 'The report of every provider.', examples: [{ data: [exampleReport], meta: { page: { size: 1, number: 1, total: 1, next: null } } }] })

const provider = Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Name of a provider; left out: all that the key may see.' }))

export const RunWishBody = Type.Object({
  provider,
  dry_run: Type.Optional(Type.Boolean({ default: false, description: 'Change nothing; say what would be done.' }))
}, { $id: 'ReconciliationRun', additionalProperties: false, examples: [{ provider: example.providerName, dry_run: true }] })

export const ReleaseBody = Type.Object({ provider }, { $id: 'ReconciliationRelease', additionalProperties: false, examples: [{ provider: example.providerName }] })

export const ReleasedView = Type.Object({
  released: Type.Array(Type.String(), { description: 'Names of the providers that were on hold.' })
}, { $id: 'ReconciliationReleased', examples: [{ released: [example.providerName] }] })

export const ReadoptBody = Type.Object({
  caller_id: Type.Optional(uuid('Caller whose client it becomes, e.g. Konnect\'s; left out: yours.'))
}, { $id: 'Readoption', additionalProperties: false, examples: [{ caller_id: example.portalCallerId }] })

export const ReadoptedView = Type.Object({
  id: uuid('Id of the registration, the one it had before.')
}, { $id: 'Readopted', examples: [{ id: example.registrationId }] })

/** Components of the document, referred to by name. */
export const reconciliationComponents = [
  ReconciliationCountsView, ReconciliationFindingView, DryRunView, ReconciliationReportView, ReconciliationReportList, RunWishBody, ReleaseBody, ReleasedView,
  ReadoptBody, ReadoptedView
]

export type CountsBody = Static<typeof ReconciliationCountsView>
export type ReportBody = Static<typeof ReconciliationReportView>
export type ReportListBody = Static<typeof ReconciliationReportList>

/** The compiler asks for a count that is added. */
type Snake<Name extends string> = Name extends 'unknownPasswords' ? 'unknown_strays' : Name extends 'straysRemoved' ? 'strays_removed' : Name
