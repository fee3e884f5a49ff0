// Passwords of an application in Graph: add, list, remove.
import type { DirectorySecret, IssuedSecret } from '../registration/ports.ts'
import { orNull } from './absence.ts'
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'
import { guid, isGuid } from './odata.ts'

/** Entra: 40 printable characters. Anything else could not be sealed or sent, or is no secret. */
const secretTextPattern = /^[\x21-\x7e]{1,1024}$/
const hintPattern = /^[\x21-\x7e]{1,16}$/

/** Adds a password. Its text is in this one answer and nowhere else. */
export async function issueSecret (
  graph: GraphClient, objectId: string, label: string, startsAt: Date, endsAt: Date, signal: AbortSignal
): Promise<IssuedSecret> {
  const answer = await graph.call({
    name: 'add password',
    method: 'POST',
    path: `/applications/${guid(objectId)}/addPassword`,
    body: { passwordCredential: { displayName: label, startDateTime: startsAt.toISOString(), endDateTime: endsAt.toISOString() } }
  }, signal)
  const secret = readSecret(answer.body)
  const secretText = member(answer.body, 'secretText')
  if (secret === undefined || typeof secretText !== 'string' || !secretTextPattern.test(secretText)) throw answer.unreadable()
  const hint = member(answer.body, 'hint')
  return {
    ...secret,
    secretText,
    hint: typeof hint === 'string' && hintPattern.test(hint) ? hint : secretText.slice(0, 3),
    startsAt: readDate(answer.body, 'startDateTime') ?? startsAt
  }
}

export async function listSecrets (graph: GraphClient, objectId: string, signal: AbortSignal): Promise<DirectorySecret[]> {
  const answer = await graph.call({
    name: 'list passwords', method: 'GET', path: `/applications/${guid(objectId)}?$select=passwordCredentials`
  }, signal)
  const items = member(answer.body, 'passwordCredentials')
  if (!Array.isArray(items)) throw answer.unreadable()
  return items.map(item => {
    const secret = readSecret(item)
    if (secret === undefined) throw answer.unreadable()
    return secret
  })
}

/** Removes one password. A password or an application that is gone is success. */
export async function revokeSecret (graph: GraphClient, objectId: string, keyId: string, signal: AbortSignal): Promise<void> {
  await orNull(async () => await graph.call({
    name: 'remove password', method: 'POST', path: `/applications/${guid(objectId)}/removePassword`, body: { keyId: guid(keyId) }
  }, signal))
}

function readSecret (item: unknown): DirectorySecret | undefined {
  const keyId = member(item, 'keyId')
  const label = member(item, 'displayName')
  const expiresAt = readDate(item, 'endDateTime')
  if (!isGuid(keyId) || expiresAt === undefined) return undefined
  return { keyId, label: typeof label === 'string' ? label : null, expiresAt }
}

function readDate (item: unknown, name: string): Date | undefined {
  const text = member(item, name)
  const date = new Date(typeof text === 'string' ? text : Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}
