// Compares a database with prisma/schema.prisma and writes the SQL that leads from the one to the other, by Prisma's own
// schema engine compiled to WebAssembly: nothing is downloaded, no shadow database is needed.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum, type SqlDriverAdapter, type SqlMigrationAwareDriverAdapterFactory
} from '@prisma/driver-adapter-utils'
import pg from 'pg'

// Node's own types leave WebAssembly to the browser's.
declare const WebAssembly: {
  compile: (bytes: Uint8Array) => Promise<object>
  instantiate: (module: object, imports: object) => Promise<{ exports: { __wbindgen_start: () => void } }>
}

interface SchemaFiles { files: Array<{ path: string, content: string }> }

interface DiffInput {
  from: { tag: 'schemaDatasource', configDir: string } & SchemaFiles
  to: { tag: 'schemaDatamodel' } & SchemaFiles
  script: boolean
  exitCode: null
  filters: { externalTables: string[], externalEnums: string[] }
}

interface Engine {
  diff: (input: DiffInput) => Promise<{ stdout: string | null }>
  free: () => void
}

interface EngineModule {
  SchemaEngine: { new: (options: { datamodels: Array<[string, string]> }, log: (line: string) => void, adapter: object) => Promise<Engine> }
  __wbg_set_wasm: (exports: object) => void
}

/**
 * The SQL that makes the database like the schema; without a difference it has only comments.
 *
 * @param connectionString a database to which all migrations were applied
 * @param schemaFile path of `schema.prisma`
 * @throws {Error} when the package `@prisma/schema-engine-wasm` is not installed
 */
export async function schemaDifference (connectionString: string, schemaFile: string): Promise<string> {
  const { SchemaEngine } = await (engineModule ??= loadEngine())
  const content = await readFile(schemaFile, 'utf8')
  const pool = new CatalogPool({ connectionString })
  const adapter = bindMigrationAwareSqlAdapterFactory(catalogAdapter(pool))
  const engine = await SchemaEngine.new({ datamodels: [[schemaFile, content]] }, () => {}, adapter)
  try {
    const files = [{ path: schemaFile, content }]
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: process.cwd() },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] }
    })
    return stdout ?? ''
  } finally {
    engine.free()
    await pool.end()
  }
}

// The engine reads PostgreSQL's catalog, where some columns have the type "char" (oid 18), which the adapter doesn't know:
// the pool calls it text, and the adapter's answer then says what it was.
class CatalogPool extends pg.Pool {
  readonly charColumns = new Set<string>()

  override query = (async (...args: [string]) => {
    const result = await super.query(...args)
    for (const field of result.fields.filter(({ dataTypeID }) => dataTypeID === 18)) {
      field.dataTypeID = pg.types.builtins.TEXT
      this.charColumns.add(field.name)
    }
    return result
  }) as pg.Pool['query']
}

function catalogAdapter (pool: CatalogPool): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(pool)
  const adapt = (adapter: SqlDriverAdapter): SqlDriverAdapter => {
    const queryRaw = adapter.queryRaw.bind(adapter)
    adapter.queryRaw = async query => {
      const result = await queryRaw(query)
      const isChar = (column: number) => pool.charColumns.has(result.columnNames[column] ?? '')
      return { ...result, columnTypes: result.columnTypes.map((type, column) => isChar(column) ? ColumnTypeEnum.Character : type) }
    }
    return adapter
  }
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => adapt(await factory.connect()),
    connectToShadowDb: async () => adapt(await factory.connectToShadowDb())
  }
}

let engineModule: Promise<EngineModule> | undefined // it keeps views of its memory, so a process has one instance

/** The package is made for bundlers that import `.wasm` files; Node 20 does not, so the two halves are joined here. */
async function loadEngine (): Promise<EngineModule> {
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const module = await import(path) as EngineModule
  const wasm = await WebAssembly.compile(await readFile(path.replace(/\.js$/, '.wasm')))
  const { exports } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': { ...module } })
  module.__wbg_set_wasm(exports)
  exports.__wbindgen_start()
  return module
}
