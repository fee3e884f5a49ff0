// Looks for secrets in bytes: raw and in every encoding in which they could have slipped through.
import type { TestDatabase } from './postgres.ts'

export interface Haystack {
  name: string
  bytes: Buffer
}

export interface Leak {
  secret: string
  encoding: string
  where: string
}

/** @param secrets texts or bytes, by a name that may be printed */
export function searchLeaks (secrets: ReadonlyMap<string, string | Buffer>, haystacks: readonly Haystack[]): Leak[] {
  const needles = [...secrets].flatMap(([secret, value]) =>
    (typeof value === 'string' ? encodingsOf(value) : encodingsOfBytes(value)).map(({ encoding, bytes }) => ({ secret, encoding, bytes })))
  // Thousands of small haystacks: what is in none of them is seen at one look.
  const all = Buffer.concat(haystacks.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
  const found = needles.filter(needle => all.includes(needle.bytes))
  return haystacks.flatMap(({ name, bytes }) =>
    found.filter(needle => bytes.includes(needle.bytes)).map(({ secret, encoding }) => ({ secret, encoding, where: name })))
}

/** Every column of every row of every table, bytea as its bytes, and what a text column holds in hex or base64, decoded. */
export async function databaseHaystacks (database: TestDatabase): Promise<Haystack[]> {
  const { rows: columns } = await database.query<{ table: string, column: string, type: string }>(`
    SELECT c.table_name AS table, c.column_name AS column, c.data_type AS type
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'`)
  const haystacks: Haystack[] = []
  for (const { table, column, type } of columns) {
    const value = type === 'bytea' ? `"${column}"` : `"${column}"::text`
    const { rows } = await database.query<{ value: Buffer | string | null }>(`SELECT ${value} AS value FROM "${table}" WHERE "${column}" IS NOT NULL`)
    for (const [index, row] of rows.entries()) haystacks.push(...bytesOf(`${table}.${column}[${index}]`, row.value))
  }
  return haystacks
}

function bytesOf (name: string, value: Buffer | string | null): Haystack[] {
  if (value === null) return []
  if (typeof value !== 'string') return [{ name, bytes: value }]
  const words = value.match(/[A-Za-z0-9+/_-]{16,}={0,2}/g) ?? []
  return [
    { name, bytes: Buffer.from(value) },
    ...words.map(word => ({ name: `${name} (base64)`, bytes: Buffer.from(word, 'base64') })),
    ...words.filter(word => /^[0-9a-f]+$/i.test(word)).map(word => ({ name: `${name} (hex)`, bytes: Buffer.from(word, 'hex') }))
  ]
}

function encodingsOf (secret: string): Array<{ encoding: string, bytes: Buffer }> {
  const raw = Buffer.from(secret)
  const utf16 = Buffer.from(secret, 'utf16le')
  const texts: Array<[string, string]> = [
    ['hex', raw.toString('hex')],
    ['HEX', raw.toString('hex').toUpperCase()],
    ['URL', encodeURIComponent(secret)],
    ['form', new URLSearchParams({ s: secret }).toString().slice(2)],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ['UTF-16 hex', utf16.toString('hex')],
    ...base64Cores(raw).flatMap(core => [['base64', core], ['base64url', core.replaceAll('+', '-').replaceAll('/', '_')]] as Array<[string, string]>)
  ]
  return [
    { encoding: 'raw', bytes: raw },
    { encoding: 'UTF-16LE', bytes: utf16 },
    { encoding: 'UTF-16BE', bytes: Buffer.from(utf16).swap16() },
    ...texts.map(([encoding, text]) => ({ encoding, bytes: Buffer.from(text) }))
  ]
}

function encodingsOfBytes (raw: Buffer): Array<{ encoding: string, bytes: Buffer }> {
  const texts = [raw.toString('hex'), raw.toString('hex').toUpperCase(), ...base64Cores(raw), JSON.stringify([...raw]).slice(1, -1)]
  return [{ encoding: 'raw', bytes: raw }, ...texts.map(text => ({ encoding: 'text of bytes', bytes: Buffer.from(text) }))]
}

// Inside a longer base64 text a secret stands at one of three alignments; what its neighbours can't change is searched for.
function base64Cores (raw: Buffer): string[] {
  return [0, 1, 2].map(offset => {
    const text = Buffer.concat([Buffer.alloc(offset), raw]).toString('base64').replace(/=+$/, '')
    const start = offset === 0 ? 0 : offset + 1
    return text.slice(start, Math.floor((raw.length + offset) / 3) * 4)
  })
}
