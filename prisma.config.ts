// Prisma 7 looks for its configuration here.
// `prisma generate` only checks that a schema engine *exists*; it never starts it. Naming any
// executable keeps the command from downloading one, so the client is generated without a network.
// The broker applies its migrations itself (src/store/migrations.ts).
import { defineConfig } from 'prisma/config'

process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' }
})
