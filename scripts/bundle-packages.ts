// Packages that come as hundreds of modules, as one file each beside the compiled tests: loading them singly costs every test process
// and every program it starts a third of a second. What is found in `dist-test/node_modules` is found first.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

/** By package, the entry points that sources and tests import. */
const packages: Record<string, string[]> = {
  typebox: ['.', './compile', './format', './value'],
  '@azure/msal-node': ['.'],
  jose: ['.'],
  uuid: ['.']
}
/** CommonJS, which asks for its parts as it runs. */
const external = ['jsonwebtoken']

for (const [name, entries] of Object.entries(packages)) {
  const outdir = join('dist-test/node_modules', name)
  const named = entries.map(entry => ({ entry, out: entry === '.' ? 'index' : entry.slice('./'.length) }))
  await build({
    entryPoints: named.map(({ entry, out }) => ({ in: entry === '.' ? name : `${name}/${out}`, out })),
    outdir,
    bundle: true,
    splitting: true, // entry points share their state as before
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external,
    logLevel: 'warning'
  })
  await mkdir(outdir, { recursive: true })
  const exports = Object.fromEntries(named.map(({ entry, out }) => [entry, `./${out}.js`]))
  await writeFile(join(outdir, 'package.json'), JSON.stringify({ name, type: 'module', exports }))
}
