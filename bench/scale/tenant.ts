// Entra for a comparison: lists the applications that the rows say there are, page by page, and knows how long it took to make them up.
import type pg from 'pg'
import { secretLabelOf, uniqueNameOf } from '../../src/registration/lifecycle.ts'
import type { Directory, TaggedApplication } from '../../src/registration/ports.ts'

/** Of Graph's pages. */
const PAGE = 999

export interface Tenant {
  directory: Directory
  /** Since the last time it was asked. */
  takeElapsedMs (): number
  /** Called before a page is listed, with its number from 1 and how many there are. */
  onPage: (page: number, pages: number) => Promise<void>
}

interface ApplicationRow {
  id: string
  object_id: string
  client_id: string
  display_name: string
  created_at: Date
  passwords: Array<{ id: string, key_id: string }>
}

export function createTenant (client: pg.Client, installationId: string): Tenant {
  let elapsedMs = 0
  let [page, pages] = [0, 0]
  const listTagged: Directory['listTagged'] = async (_tag, after) => {
    const startedMs = performance.now()
    if (after === null) {
      const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM registration WHERE state IN ('active', 'disabled')")
      ;[page, pages] = [0, Math.ceil(Number(rows[0]?.count) / PAGE)]
    }
    page += 1
    await tenant.onPage(page, pages)
    const { rows } = await client.query<ApplicationRow>({ name: 'page', text: applications, values: [after ?? '00000000-0000-0000-0000-000000000000'] })
    elapsedMs += performance.now() - startedMs
    return { applications: rows.map(row => toApplication(row, installationId)), next: page < pages ? rows.at(-1)?.id ?? null : null }
  }
  const tenant: Tenant = {
    directory: onlyListing(listTagged),
    takeElapsedMs () {
      const taken = elapsedMs
      elapsedMs = 0
      return taken
    },
    onPage: async () => {}
  }
  return tenant
}

const applications = `
  SELECT r.id, r.object_id, r.client_id, r.display_name, r.created_at,
    (SELECT json_agg(json_build_object('id', k.id, 'key_id', k.key_id)) FROM credential k WHERE k.registration_id = r.id) AS passwords
  FROM registration r WHERE r.id > $1 AND r.state IN ('active', 'disabled') ORDER BY r.id LIMIT ${PAGE}`

function toApplication (row: ApplicationRow, installationId: string): TaggedApplication {
  return {
    objectId: row.object_id,
    clientId: row.client_id,
    uniqueName: uniqueNameOf(row.id),
    displayName: row.display_name,
    tags: ['dcr-broker', `dcr-inst:${installationId}`, `dcr-reg:${row.id}`],
    createdAt: row.created_at,
    passwords: row.passwords.map(({ id, key_id: keyId }) => ({ keyId, label: secretLabelOf(row.id, id), startsAt: row.created_at }))
  }
}

/** Everything is as the rows say: whoever asks for anything else has misread them. */
function onlyListing (listTagged: Directory['listTagged']): Directory {
  return new Proxy({ listTagged } as unknown as Directory, {
    get (target, name) {
      if (name === 'listTagged') return target.listTagged
      return () => { throw new Error(`A comparison without differences has called ${String(name)}`) }
    }
  })
}
