// One connection at the level of bytes: a request goes out as it is, its answer is read, and what comes unasked is noticed.
import { connect, type Socket } from 'node:net'

export interface WireAnswer {
  status: number
  /** By lower-case name; repeated ones joined. */
  headers: Record<string, string>
  body: string
}

export type Outcome = { kind: 'answered', answer: WireAnswer, tookMs: number } | { kind: 'closed' } | { kind: 'unanswered' }

export class Wire {
  readonly #port: number
  #socket: Socket | undefined
  #received = Buffer.alloc(0)
  #notify = (): void => {}

  constructor (port: number) {
    this.#port = port
  }

  /** Sends a request over the connection there is, or a new one. @param method of the request: an answer to HEAD has no body */
  async exchange (bytes: Buffer, method: string, timeoutMs: number): Promise<Outcome> {
    const hadOne = this.#isOpen()
    if (!hadOne) await this.#open()
    const startedMs = performance.now()
    this.#socket?.write(bytes)
    const outcome = await this.#answer(method, timeoutMs, startedMs)
    if (outcome.kind !== 'answered') this.close()
    else if (/close/i.test(outcome.answer.headers['connection'] ?? '')) await this.#finish()
    // The broker may have ended an idle connection in the moment it was used.
    return outcome.kind === 'closed' && hadOne ? await this.exchange(bytes, method, timeoutMs) : outcome
  }

  /** Bytes nobody has asked for. */
  get excess (): number {
    return this.#received.length
  }

  close (): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#received = Buffer.alloc(0)
  }

  #isOpen (): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable && this.#socket.readable
  }

  async #open (): Promise<void> {
    this.close()
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#notify()
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#notify())
    this.#socket = socket
    await new Promise<void>(resolve => { socket.once('connect', resolve).once('close', () => resolve()) })
  }

  async #answer (method: string, timeoutMs: number, startedMs: number): Promise<Outcome> {
    const endsMs = startedMs + timeoutMs
    for (;;) {
      const found = firstAnswer(this.#received, method, !this.#isOpen())
      if (found !== null) {
        this.#received = this.#received.subarray(found.length)
        if (found.answer.status >= 200) return { kind: 'answered', answer: found.answer, tookMs: performance.now() - startedMs }
        continue
      }
      if (!this.#isOpen()) return { kind: 'closed' }
      if (!await this.#news(endsMs)) return { kind: 'unanswered' }
    }
  }

  /** What came with the last answer of a connection reaches nobody else: a refusal of what could not be read has a body, HEAD or not. */
  async #finish (): Promise<void> {
    while (this.#isOpen() && await this.#news(performance.now() + 5_000));
    this.close()
  }

  async #news (endsMs: number): Promise<boolean> {
    return await new Promise(resolve => {
      const timer = setTimeout(() => resolve(false), endsMs - performance.now())
      this.#notify = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }
}

/** @param hasEnded nothing more will come, so that a body without a length is whole */
export function firstAnswer (bytes: Buffer, method: string, hasEnded: boolean): { answer: WireAnswer, length: number } | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1])
  if (Number.isNaN(status)) throw new Error(`No status line: ${JSON.stringify(statusLine.slice(0, 100))}`)
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    const value = line.slice(line.indexOf(':') + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const start = end + 4
  const answer = (body: Buffer, length: number) => ({ answer: { status, headers, body: body.toString('utf8') }, length })
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return answer(Buffer.alloc(0), start)
  if (/chunked/.test(headers['transfer-encoding'] ?? '')) return chunkedBody(bytes, start, answer)
  const length = headers['content-length'] === undefined ? (hasEnded ? bytes.length - start : null) : Number(headers['content-length'])
  return length === null || bytes.length < start + length ? null : answer(bytes.subarray(start, start + length), start + length)
}

function chunkedBody<Found> (bytes: Buffer, start: number, answer: (body: Buffer, length: number) => Found): Found | null {
  const chunks: Buffer[] = []
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return null
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return null
    if (size === 0) return answer(Buffer.concat(chunks), next)
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
