// Programs that have no business where the broker runs: what builds, tests, or changes a database by itself.

const TOOLS = /^(prisma|tsc|tsserver|tsx|esbuild|tap|eslint|npm|npx|node-gyp|redocly|openapi|swagger|autocannon|jiti|giget|pino-pretty)/

export function toolsAmong (programs: readonly string[]): string[] {
  return programs.filter(name => TOOLS.test(name))
}
