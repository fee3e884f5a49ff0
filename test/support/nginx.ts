// A real nginx with the configuration that the project ships, asked by a real curl. Only addresses and the gateway's key differ from the files.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import type { ClientCredentials } from '../../src/demo/entra-client.ts'
import { eventually } from './eventually.ts'

export const SHIPPED = 'deploy/gateways/nginx'

const run = promisify(execFile)
/** Not everybody has the folders of administrators' programs in his path. */
const env = { ...process.env, PATH: [process.env['PATH'], '/usr/local/sbin', '/usr/sbin'].join(delimiter) }

/** Those of nginx and curl that this machine lacks. */
export async function missingPrograms (): Promise<string[]> {
  const found = await Promise.all([['nginx', '-v'], ['curl', '--version']].map(async ([program = '', option = '']) =>
    await run(program, [option], { env }).then(() => null, () => program)))
  return found.filter(program => program !== null)
}

export interface NginxOptions {
  /** `<host>:<port>` of the broker's gateway listeners. */
  brokers: readonly string[]
  /** The same of the API. */
  api: string
  /** Left out: the file stays as it is shipped, and no key is shown. */
  gatewayKey?: string
}

export interface Nginx {
  /** Resolves to what nginx says of its configuration. Rejects when it does not take it. */
  check (): Promise<string>
  start (): Promise<void>
  /** One request by curl, with its own arguments. */
  curl (path: string, ...options: string[]): Promise<CurlAnswer>
}

/** What a client shows, as arguments of curl. */
export const basic = ({ clientId, clientSecret }: ClientCredentials): string[] => ['--user', `${clientId}:${clientSecret}`]
export const bearer = (token: string): string[] => ['--header', `Authorization: Bearer ${token}`]

export interface CurlAnswer {
  status: number
  /** Name in lower case and value, one pair for each line. */
  headers: Array<[name: string, value: string]>
  /** All values under the name (in lower case). */
  header (name: string): string[]
  body: string
}

/** In a folder of its own, with everything that nginx writes. Does not start it yet. */
export async function prepareNginx (t: Pick<Test, 'teardown'>, options: NginxOptions): Promise<Nginx> {
  // The path of a socket is short: about a hundred characters.
  const folder = await mkdtemp(join(tmpdir(), 'dcr-nginx-'))
  const socket = join(folder, 'socket')
  await writeConfiguration(folder, socket, options)
  const main = ['-p', folder, '-c', join(folder, 'nginx.conf')]
  t.teardown(() => rm(folder, { recursive: true, force: true }))

  async function start (): Promise<void> {
    const child = spawn('nginx', main, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
    const ended = once(child, 'close')
    t.teardown(async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await ended
    })
    await eventually('nginx listens', async () => {
      if (child.exitCode !== null) throw new Error(`nginx has ended: ${said}`)
      return await isListening(socket)
    })
  }

  async function curl (path: string, ...more: string[]): Promise<CurlAnswer> {
    const { stdout } = await run('curl', ['--silent', '--show-error', '--include', '--max-time', '30', '--unix-socket', socket, ...more, `http://gateway.test${path}`], { env })
    return toAnswer(stdout)
  }

  return { check: async () => (await run('nginx', ['-t', ...main], { env })).stderr, start, curl }
}

export async function startNginx (t: Pick<Test, 'teardown'>, options: NginxOptions): Promise<Nginx> {
  const nginx = await prepareNginx(t, options)
  await nginx.start()
  return nginx
}

async function writeConfiguration (folder: string, socket: string, { brokers, api, gatewayKey }: NginxOptions): Promise<void> {
  await cp(SHIPPED, folder, { recursive: true })
  const change = async (name: string, changes: ReadonlyArray<[from: string | RegExp, to: string]>): Promise<void> => {
    let text = await readFile(join(folder, name), 'utf8')
    for (const [from, to] of changes) {
      if (text.split(from).length !== 2) throw new Error(`${name} does not have ${String(from)} once`)
      text = text.replace(from, () => to)
    }
    await writeFile(join(folder, name), text)
  }
  await change('site.conf', [['listen 8080;', `listen unix:${socket};`]])
  await change('dcr-broker/upstreams.conf', [
    [/(?: +server \S+ max_fails=0;\n)+/, brokers.map(address => `    server ${address} max_fails=0;\n`).join('')],
    ['server 127.0.0.1:8081;', `server ${api};`]
  ])
  if (gatewayKey !== undefined) await change('dcr-broker/gateway-key.conf', [['X-Gateway-Key "";', `X-Gateway-Key "${gatewayKey}";`]])
  await writeFile(join(folder, 'nginx.conf'), mainConfiguration(folder))
}

/** What a distribution's nginx.conf does around the site; nothing outside the folder is read or written. */
function mainConfiguration (folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${join(folder, name)};`)
  return [
    'daemon off;', 'worker_processes 1;', `pid ${join(folder, 'pid')};`, 'error_log stderr info;',
    // Else its workers are nobody's, and the folder is closed to them.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'events { worker_connections 256; }', 'http {', 'access_log off;', ...temporary, 'include site.conf;', '}', ''
  ].join('\n')
}

async function isListening (path: string): Promise<boolean> {
  const socket = connect(path)
  const isOpen = await once(socket, 'connect').then(() => true, () => false)
  socket.destroy()
  return isOpen
}

/** The last answer: an interim one may come before. */
function toAnswer (text: string): CurlAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  if (status < 200) return toAnswer(rest.join('\r\n\r\n'))
  const headers = head.split('\r\n').slice(1).map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { status, headers, header: name => headers.filter(([other]) => other === name).map(([, value]) => value), body: rest.join('\r\n\r\n') }
}
