// Builds dist/: the three programs, as a few files. Node.js 20 takes half a millisecond for each file it loads, and the sources with the
// packages below are a thousand: in a few files the broker starts in half the time. Types are checked by `npm run typecheck`.
import { rm } from 'node:fs/promises'
import { build, type Plugin } from 'esbuild'

/** Packages of many files, in plain JavaScript that looks for nothing beside itself. All others stay where npm has put them. */
const taken = ['@azure/msal-node', '@azure/msal-common', '@microsoft/microsoft-graph-client', 'jose', 'prom-client', 'typebox', 'undici', 'uuid']

const packages: Plugin = {
  name: 'packages',
  setup ({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ kind, path }) => kind === 'entry-point' || taken.some(name => path === name || path.startsWith(`${name}/`)) ? null : { path, external: true })
  }
}

await rm('dist', { recursive: true, force: true })
await build({
  entryPoints: ['src/main.ts', 'src/cli/main.ts', 'src/demo/main.ts'],
  outbase: '.',
  outdir: 'dist',
  chunkNames: 'src/parts/[name]-[hash]',
  bundle: true,
  splitting: true, // what is imported when it is needed is read when it is needed
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  // CommonJS asks for its parts as it runs.
  banner: { js: "import { createRequire as createRequireOfPart } from 'node:module'; const require = createRequireOfPart(import.meta.url);" },
  plugins: [packages],
  logLevel: 'warning'
})
