// The checker reads our own Dockerfile, and refuses what it would otherwise skip.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parseCommand, parseDockerfile, parseDockerignore, parseEnvironment } from '../../scripts/dockerfile.ts'

t.test('the image runs the built program in production as an unprivileged user, with no development dependency', async t => {
  const stages = parseDockerfile(await readFile('Dockerfile', 'utf8'))
  const steps = stages.at(-1)?.steps ?? []
  const last = (name: string) => steps.findLast(step => step.name === name)?.text ?? ''
  t.equal(last('USER'), 'node')
  t.same(parseCommand(last('CMD')), ['node', 'dist/src/main.js'])
  t.match(parseEnvironment(last('ENV')), { NODE_ENV: 'production', OPERATIONS_HOST: '0.0.0.0' })
  t.equal(parseCommand(last('HEALTHCHECK'))[0], 'node')
  const origins = steps.filter(step => step.text.includes('/app/node_modules')).map(step => /--from=(\S+)/.exec(step.text)?.[1])
  t.same(origins, ['dependencies'])
  const installs = stages.find(stage => stage.name === 'dependencies')?.steps.filter(step => step.name === 'RUN')
  t.same(installs?.map(step => step.text), ['npm ci --omit=dev --omit=optional'])
})

t.test('whatever the build\'s script is made of is in the build context, and copied beside it', async t => {
  const isAllowed = parseDockerignore(await readFile('.dockerignore', 'utf8'))
  const copied = parseDockerfile(await readFile('Dockerfile', 'utf8'))[0]?.steps.filter(({ name }) => name === 'COPY').map(({ text }) => text).join(' ') ?? ''
  const imported = [...(await readFile('scripts/build.ts', 'utf8')).matchAll(/from '\.\/([\w-]+\.ts)'/g)].map(([, file]) => `scripts/${file}`)
  t.ok(imported.length > 0)
  for (const file of ['scripts/build.ts', ...imported]) {
    t.ok(isAllowed(file), file)
    t.ok(copied.split(' ').includes(file), file)
  }
})

t.test('nothing but what the build reads gets into the build context', async t => {
  const isAllowed = parseDockerignore(await readFile('.dockerignore', 'utf8'))
  for (const path of ['package.json', 'package-lock.json', 'src/main.ts', 'prisma/schema.prisma', 'scripts/build.ts']) {
    t.ok(isAllowed(path), path)
  }
  for (const path of ['.env', '.sandbox/keyring.json', 'node_modules/pg', '.git/config', 'src/store/generated/client.ts', 'test/smoke.test.ts']) {
    t.notOk(isAllowed(path), path)
  }
})

t.test('continued lines are one instruction and comments are none', async t => {
  t.same(parseDockerfile('FROM node:24-slim AS a\n# a remark\nRUN one \\\n  # another\n  && two\n'), [
    { name: 'a', base: 'node:24-slim', steps: [{ name: 'RUN', text: 'one && two' }] }
  ])
})

t.test('an instruction that cannot be followed is refused', async t => {
  t.throws(() => parseDockerfile('FROM node:24-slim\nADD https://example.org/x /x'), /cannot follow ADD/)
  t.throws(() => parseDockerfile('RUN true'), /before the first FROM/)
  t.throws(() => parseDockerignore('*.log')('a.log'), /cannot follow/)
})
