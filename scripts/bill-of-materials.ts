// The software bill of materials of a production install, as CycloneDX 1.5. Made from the lockfile alone, so that it needs no network and is
// the same each time; npm's own leaves out what development needs as well (pg, jose and fifty others).
import { lockedPackages, resolved, type Lockfile, type LockedPackage } from './locked-packages.ts'

export interface Component {
  type: 'library' | 'application'
  'bom-ref': string
  name: string
  version: string
  purl: string
  hashes?: Array<{ alg: string, content: string }>
  licenses?: Array<{ expression: string }>
}

export interface BillOfMaterials {
  $schema: string
  bomFormat: 'CycloneDX'
  specVersion: '1.5'
  version: 1
  metadata: { lifecycles: Array<{ phase: string }>, component: Component }
  components: Component[]
  dependencies: Array<{ ref: string, dependsOn: string[] }>
}

export function billOfMaterials (lockfile: Lockfile): BillOfMaterials {
  const all = lockedPackages(lockfile)
  const byPath = new Map(all.filter(({ isInProduction }) => isInProduction).map(one => [one.path, one]))
  const root = { type: 'application' as const, ...identity(lockfile.name, lockfile.version) }
  const refsOf = (names: string[], from: string): string[] =>
    [...new Set(names.map(name => resolved(name, from, byPath)).filter(one => one !== undefined).map(refOf))].sort()
  const components = new Map([...byPath.values()].map(one => [refOf(one), componentOf(one)]))
  const dependsOn = new Map([...byPath.values()].map(one => [refOf(one), refsOf(one.dependencies, one.path)]))
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { lifecycles: [{ phase: 'pre-build' }], component: root },
    components: [...components.values()],
    dependencies: [
      { ref: root['bom-ref'], dependsOn: refsOf(Object.keys(lockfile.packages['']?.dependencies ?? {}), '') },
      ...[...dependsOn].map(([ref, dependsOn]) => ({ ref, dependsOn }))
    ]
  }
}

function componentOf (one: LockedPackage): Component {
  const [algorithm, digest] = one.integrity?.split('-', 2) ?? []
  return {
    type: 'library',
    ...identity(one.name, one.version),
    ...(algorithm === 'sha512' && digest !== undefined && { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }),
    ...(one.license !== undefined && { licenses: [{ expression: one.license }] })
  }
}

const refOf = ({ name, version }: { name: string, version: string }): string => `${name}@${version}`

/** https://github.com/package-url/purl-spec: the @ of a scope is encoded. */
function identity (name: string, version: string): Pick<Component, 'bom-ref' | 'name' | 'version' | 'purl'> {
  return { 'bom-ref': refOf({ name, version }), name, version, purl: `pkg:npm/${name.replace(/^@/, '%40')}@${version}` }
}
