// Answers that get lost: a registrant who hangs up, and the end of the time in which he may ask again.
import { once } from 'node:events'
import { connect } from 'node:net'
import { INITIAL_ACCESS_TOKEN, type TestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'

/** Sends a whole registration and closes the connection while Entra is at work for it. */
export async function hangUp ({ url, simulator }: TestBroker, document: Record<string, unknown>, headers: Record<string, string> = {}): Promise<void> {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify(document)
  const before = simulator.control.journal.entries({ method: 'PATCH' }).length
  const all = {
    host: hostname, authorization: `Bearer ${INITIAL_ACCESS_TOKEN}`, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers
  }
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`POST /register HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  await eventually('Entra is at work', () => simulator.control.journal.entries({ method: 'PATCH' }).length > before)
  socket.destroy()
}

/** Resolves when so many registrations are made whose answer nobody received. */
export async function isKnownAsLost ({ database }: TestBroker, registrations: number): Promise<void> {
  await eventually('it is known that the answer was not delivered', async () =>
    (await database.query("SELECT FROM registration WHERE delivery = 'not_delivered' AND state = 'active'")).rowCount === registrations)
}

/** As if the redelivery windows that are open had passed. */
export async function endWindows ({ database }: TestBroker): Promise<void> {
  await database.query('UPDATE registration SET redeliver_until = now() WHERE redeliver_until IS NOT NULL')
}
