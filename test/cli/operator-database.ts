// A database as a broker has left it after its first start, and the CLI on it.
import type { Test } from 'tap'
import { bootstrap } from '../../src/store/bootstrap.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { runHere } from './run-cli.ts'

export async function operatorDatabase (t: Test) {
  const { url, query } = await createTestDatabase(t)
  const { prisma, run, close } = openDatabase({ connectionString: url })
  t.teardown(close)
  const tenantId = '01a20951-0000-4000-8000-000000000001'
  const provider = { tenantId, initialClientId: tenantId, issuer: `https://sts.windows.net/${tenantId}/` }
  const caller = { kind: 'konnect', name: 'KONNECT_API_KEYS[0]', scopes: [], boundToProvider: true, digests: [{ pepperId: 'p1', digest: new Uint8Array(32) }] } as const
  await bootstrap(run, provider, [{ ...caller, scopes: [] }])
  return {
    prisma,
    run,
    query,
    cli: async (...args: string[]) => await runHere(args, { DATABASE_URL: url }),
    /** The JSON answer of a command that succeeds. */
    async json (...args: string[]): Promise<unknown> {
      const { code, stdout, complaints } = await runHere([...args, '--json'], { DATABASE_URL: url })
      if (code !== 0 || complaints.length > 0) throw new Error(`exit code ${code}: ${complaints.join('\n')}`)
      return JSON.parse(stdout)
    }
  }
}
