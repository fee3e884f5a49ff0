// House style (neostandard, as the Fastify projects) and the layer rule: data flows
// surface -> core -> port -> adapter, and assemble.ts puts them together.
import neostandard from 'neostandard'

const layer = (files, forbidden, message) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: [{ group: forbidden, message }] }]
  }
})

const adapters = ['entra', 'store', 'vault', 'http', 'jobs', 'cli', 'sandbox', 'simulator', 'demo', 'metrics', 'telemetry']
const foldersExcept = (...allowed) => adapters
  .filter(folder => !allowed.includes(folder))
  .map(folder => `**/${folder}/**`)

// Names of tables and lists of columns are written in the code; whatever else goes into a statement is a parameter.
const sqlIsWritten = [
  { selector: 'MemberExpression[property.name=/RawUnsafe$/], MemberExpression[property.value=/RawUnsafe$/]', message: 'Prisma\'s tagged templates make parameters of values.' },
  {
    selector: 'CallExpression[callee.object.name="Prisma"][callee.property.name="raw"] > ' +
      ':not(MemberExpression.callee, Literal, TemplateLiteral[expressions.length=0], Identifier[name=/^(table|source)$/])',
    message: 'Prisma.raw takes text that stands in the code, or the name of a table.'
  },
  {
    selector: 'CallExpression[callee.property.name="query"] > :matches(BinaryExpression, TemplateLiteral[expressions.length>0]):first-child',
    message: 'A statement is text that stands in the code; values are its parameters.'
  }
]

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', 'dist-test/**', 'src/store/generated/**', '.tap/**', '.sandbox/**', 'bench/results/**'] }),
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 160, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreUrls: true, ignoreComments: true }],
      'max-lines': ['error', { max: 250, skipComments: true, skipBlankLines: true }]
    }
  },
  { files: ['src/**'], rules: { 'no-restricted-syntax': ['error', ...sqlIsWritten] } },
  layer(['src/registration/**', 'src/administration/**', 'src/reconciliation/**', 'src/listing/**', 'src/idempotency/**', 'src/gateway/**'],
    [...foldersExcept(), 'fastify', '@fastify/*', '@prisma/*', 'pg', '@azure/*', '@microsoft/*', 'undici', 'pino', '**/settings/**', '**/assemble*'],
    'The core imports nothing but itself: it speaks outward through ports.'),
  layer(['src/entra/**'], [...foldersExcept('entra'), '@prisma/*', 'fastify'], 'An adapter imports the ports, never another adapter or a surface.'),
  layer(['src/store/**'], [...foldersExcept('store'), '@azure/*', '@microsoft/*', 'fastify'], 'An adapter imports the ports, never another adapter or a surface.'),
  layer(['src/vault/**'], [...foldersExcept('vault'), '@prisma/*', '@azure/*', '@microsoft/*', 'fastify'], 'An adapter imports the ports, never another adapter or a surface.'),
  layer(['src/http/**'], [...foldersExcept('http'), '@prisma/*', '@azure/*', '@microsoft/*'], 'A surface calls use cases of the core; it knows no adapter.'),
  layer(['src/jobs/**'], [...foldersExcept('jobs'), '@prisma/*', '@azure/*', '@microsoft/*', 'fastify'], 'A job calls the core; it knows no adapter.'),
  layer(['src/metrics/**'], [...foldersExcept('metrics'), '@prisma/*', 'fastify'], 'Metrics are told; they know no surface and no adapter.'),
  layer(['src/telemetry/**'], [...foldersExcept('telemetry'), '@prisma/*', 'fastify'], 'Traces are told; they know no surface and no adapter.'),
  layer(['src/simulator/**'], [...foldersExcept('simulator'), '**/registration/**', '@prisma/*', '@azure/*'],
    'The simulator is Entra: it shares no code with the broker, so that the two cannot share a mistake.')
]
