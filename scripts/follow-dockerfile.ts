// Tries the image without Docker (npm run docker:check): follows the Dockerfile's steps in an empty temporary folder with the base image's
// Node.js, makes the result read-only, runs it as an unprivileged user beside a PostgreSQL and an Entra simulator, registers one
// client through the Konnect bridge, and stops it as an orchestrator would.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../src/sandbox/embedded-postgres.ts'
import { findFreePort } from '../src/sandbox/free-port.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { createKeyringFile } from '../src/vault/keyring.ts'
import { parseDockerfile, parseDockerignore, type Stage } from './dockerfile.ts'
import { buildStages, makeReadOnly, makeWritable, type BuiltStage } from './image-stages.ts'

// `nobody` on every Linux and macOS system; the image's own user `node` does not exist here.
const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined

const folder = await realpath(await mkdtemp(join(tmpdir(), 'dcr-image-')))
await chmod(folder, 0o755)
try {
  const stages = parseDockerfile(await readFile('Dockerfile', 'utf8'))
  const image = await buildStages(stages, {
    context: resolve('.'),
    isAllowed: parseDockerignore(await readFile('.dockerignore', 'utf8')),
    folder,
    path: await installBaseImage(stages)
  })
  if (image.user === undefined) throw new Error('The image would run as root: USER is missing.')
  await tryImage(image)
  console.log('The image builds, starts, serves and stops.')
} finally {
  await makeWritable(folder)
  await rm(folder, { recursive: true, force: true })
}

/** The base image's node and npm, from the registry. */
async function installBaseImage (stages: Stage[]): Promise<string> {
  const version = /^node:(\d+)-slim$/.exec(stages[0]?.base ?? '')?.[1]
  if (version === undefined) throw new Error(`The checker knows only node:<major>-slim, not ${stages[0]?.base}`)
  const base = join(folder, 'base')
  await mkdir(base)
  await writeFile(join(base, 'package.json'), '{}')
  const node = `node-${process.platform}-${process.arch}`
  execFileSync('npm', ['install', '--no-audit', '--no-fund', `${node}@${version}`, 'npm@11'], { cwd: base, stdio: ['ignore', 'ignore', 'inherit'] })
  const path = [join(base, 'node_modules', node, 'bin'), join(base, 'node_modules', '.bin'), '/usr/bin', '/bin'].join(delimiter)
  console.log(`node ${execFileSync('node', ['--version'], { env: { PATH: path }, encoding: 'utf8' }).trim()} as ${stages[0]?.base}`)
  return path
}

async function tryImage (image: BuiltStage): Promise<void> {
  await makeReadOnly(join(image.root, image.workdir))
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), durable: false })
  const simulator = await startSimulator()
  try {
    const { url, tenantId, broker } = simulator
    const environment = {
      DATABASE_URL: postgres.connectionString(),
      ENCRYPTION_KEYRING_FILE: await writeKeyring(),
      AZURE_AUTHORITY_HOST: url,
      GRAPH_BASE_URL: url,
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: broker.clientId,
      AZURE_CLIENT_SECRET: broker.clientSecret,
      KONNECT_API_KEYS: randomBytes(24).toString('hex'),
      ADMIN_API_KEYS: randomBytes(24).toString('hex'),
      // A check opens nothing to the network, so not the image's 0.0.0.0.
      HOST: '127.0.0.1',
      OPERATIONS_HOST: '127.0.0.1',
      PORT: String(await findFreePort()),
      OPERATIONS_PORT: String(await findFreePort())
    }
    await runInImage(image, ['node', 'dist/src/cli/main.js', 'migrate'], environment)
    await serve(image, { ...environment, PUBLIC_URL: `http://localhost:${environment.PORT}` })
  } finally {
    await simulator.close()
    await postgres.stop()
    if (!postgres.directory.startsWith(folder)) await rm(postgres.directory, { recursive: true, force: true })
  }
}

async function serve (image: BuiltStage, environment: Record<string, string>): Promise<void> {
  const child = start(image, image.command, environment)
  const ended = once(child, 'close') as Promise<[number | null, string | null]>
  try {
    await Promise.race([
      answer(`http://127.0.0.1:${environment.OPERATIONS_PORT}/readyz`),
      ended.then(([code, signal]) => { throw new Error(`${image.command.join(' ')} ended with ${code ?? signal}`) })
    ])
    await runInImage(image, image.healthcheck, environment)
    await register(environment)
  } finally {
    child.kill('SIGTERM')
  }
  const [code, signal] = await ended
  if (code !== 0) throw new Error(`SIGTERM ended it with ${code ?? signal} instead of 0`)
}

async function register (environment: Record<string, string>): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${environment.PORT}/konnect`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': environment.KONNECT_API_KEYS ?? '' },
    body: JSON.stringify({
      client_name: 'image check',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_post',
      response_types: [],
      portal_id: '5d7e2e8c-5f0f-4f1c-9a55-0a4b7e7a2a11',
      organization_id: '0d4f1d0e-1c55-4b2d-8f0e-5a8a3f1f6a22',
      developer_id: '8b1f7e0a-3a0b-4f7c-b4c3-2f4f5c6d7e33',
      application_description: ''
    })
  })
  const body = await response.json() as Record<string, unknown>
  if (response.status !== 201 || typeof body.client_secret !== 'string') throw new Error(`POST /konnect answered ${response.status}: ${Object.keys(body).join(', ')}`)
  console.log('POST /konnect answered 201 with a client and its secret.')
}

/** Waits for a 200; the process's end is watched by the caller. */
async function answer (url: string): Promise<void> {
  const signal = AbortSignal.timeout(30_000)
  while (!await fetch(url, { signal }).then(response => response.ok, () => false)) await delay(100, undefined, { signal })
  console.log(`${new URL(url).pathname} answered 200.`)
}

async function runInImage (image: BuiltStage, command: string[], environment: Record<string, string>): Promise<void> {
  const [code, signal] = await once(start(image, command, environment), 'close') as [number | null, string | null]
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code ?? signal}`)
}

function start (image: BuiltStage, [program = '', ...args]: string[], environment: Record<string, string>) {
  const path = join(folder, 'base', 'node_modules', `node-${process.platform}-${process.arch}`, 'bin')
  return spawn(join(path, program), args, {
    cwd: join(image.root, image.workdir),
    env: { PATH: path, ...image.environment, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
    ...(unprivileged ?? {})
  })
}

async function writeKeyring (): Promise<string> {
  const file = join(folder, 'keyring.json')
  await createKeyringFile(file)
  if (unprivileged !== undefined) await chown(file, unprivileged.uid, unprivileged.gid)
  return file
}
