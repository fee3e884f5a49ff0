// SQL is written, never put together: the linter keeps it so.
import { ESLint } from 'eslint'
import t from 'tap'

/** Where a template of the code has a value. */
const HOLE = ['$', '{id}'].join('')

t.test('S14 the linter refuses SQL that is put together from values, everywhere in src', async t => {
  const eslint = new ESLint()
  const refused = async (code: string, filePath: string) =>
    (await eslint.lintText(code, { filePath })).flatMap(({ messages }) => messages).filter(({ ruleId }) => ruleId === 'no-restricted-syntax').length
  const built = [
    'await prisma.$queryRawUnsafe(text)\n', 'await prisma.$executeRawUnsafe(text)\n', 'await prisma[\'$queryRawUnsafe\'](text)\n',
    `Prisma.raw(\`id = ${HOLE}\`)\n`, 'Prisma.raw(\'id = \' + id)\n', 'Prisma.raw(filter.value)\n', 'Prisma.raw(quote(id))\n',
    `await client.query(\`SELECT ${HOLE}\`)\n`, 'await client.query(\'SELECT \' + id)\n'
  ]
  for (const code of built) {
    for (const file of ['src/store/example.ts', 'src/cli/example.ts']) t.equal(await refused(code, file), 1, `${file}: ${code}`)
  }
  const written = [`await prisma.$queryRaw\`SELECT ${HOLE}\`\n`, 'Prisma.raw(\'a, b\')\n', 'Prisma.raw(table)\n', 'await client.query(\'SELECT $1\', [id])\n']
  for (const code of written) t.equal(await refused(code, 'src/store/example.ts'), 0, code)
})
