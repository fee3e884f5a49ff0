// Bytes to a listener and its answer back, for what no HTTP client would send.
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  status: number
  /** By lower-case name. */
  headers: Record<string, string>
  body: string
}

/** Sends the bytes as they are. Rejects when the connection ends without a whole answer. */
export async function rawRequest (url: string, bytes: string): Promise<RawAnswer> {
  const connection = await openRaw(url)
  connection.send(bytes)
  try {
    return await connection.answer()
  } finally {
    connection.close()
  }
}

export interface RawConnection {
  send (bytes: string): void
  /** The next answer. */
  answer (): Promise<RawAnswer>
  /** Everything that came and was not taken as an answer, once the other side has ended. */
  rest (): Promise<string>
  close (): void
}

export async function openRaw (url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect(Number(port), hostname)
  let received = ''
  let notify = () => {}
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
    notify()
  })
  // A reset after the answer is an end like any other.
  socket.on('error', () => {})
  const ended = new Promise<void>(resolve => socket.once('close', resolve))
  ended.then(() => notify())
  const news = () => new Promise<void>(resolve => { notify = resolve })
  await new Promise(resolve => socket.once('connect', resolve))

  return {
    send: bytes => { socket.write(bytes, 'latin1') },
    async answer () {
      for (;;) {
        const found = firstAnswer(received)
        if (found !== null) {
          received = received.slice(found.length)
          return found.answer
        }
        if (socket.closed) throw new Error(`No whole answer: ${JSON.stringify(received)}`)
        await news()
      }
    },
    async rest () {
      await ended
      return received
    },
    close: () => { socket.destroy() }
  }
}

function firstAnswer (text: string): { answer: RawAnswer, length: number } | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(lines.map(line => [line.split(':', 1)[0]?.toLowerCase() ?? '', line.slice(line.indexOf(':') + 1).trim()]))
  const length = end + 4 + Number(headers['content-length'] ?? 0)
  if (text.length < length) return null
  return { answer: { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4, length) }, length }
}
