// Applications by their tag in Graph, a page at a time, and one of them in full. Nothing here writes.
import type { ApplicationIds, TaggedApplication, TaggedDetails, TaggedPage } from '../registration/ports.ts'
import { orNull } from './absence.ts'
import type { GraphAnswer, GraphClient } from './graph-client.ts'
import { member, plainText } from './json.ts'
import { alternateKey, guid, isGuid, literal, objectId, readIds } from './odata.ts'

/** Graph's largest page: a tenant of 10,000 applications costs 11 calls. */
const PAGE_SIZE = 999
/** Longer than any text of an application in Entra. */
const MAX_TEXT = 2_048
const SELECT = 'id,appId,uniqueName,displayName,tags,createdDateTime,passwordCredentials'

export async function listTagged (graph: GraphClient, tag: string, after: string | null, signal: AbortSignal): Promise<TaggedPage> {
  const first = `/applications?$filter=tags/any(t:t eq ${literal(tag)})&$select=${SELECT}&$top=${PAGE_SIZE}`
  const answer = await graph.call({ name: 'list tagged applications', method: 'GET', path: after ?? first }, signal)
  const [items, link] = [member(answer.body, 'value'), member(answer.body, '@odata.nextLink')]
  if (!Array.isArray(items)) throw answer.unreadable()
  const next = typeof link === 'string' ? graph.pathOf(link) : null
  // A list that is cut short would make applications look deleted.
  if (next === null && link !== undefined) throw answer.unreadable()
  return { applications: items.map(item => toApplication(item, answer)), next }
}

export async function readTagged (graph: GraphClient, clientId: string, signal: AbortSignal): Promise<TaggedDetails | null> {
  const key = alternateKey('appId', guid(clientId))
  const path = `/applications${key}?$select=${SELECT},description,web,spa,publicClient`
  const answer = await orNull(async () => await graph.call({ name: 'read tagged application', method: 'GET', path }, signal))
  if (answer === null) return null
  const principal = await orNull(async () =>
    await graph.call({ name: 'find principal', method: 'GET', path: `/servicePrincipals${key}?$select=id,accountEnabled` }, signal))
  const { body } = answer
  return {
    ...toApplication(body, answer),
    description: textOf(member(body, 'description')),
    redirectUris: { web: urisOf(body, 'web'), publicClient: urisOf(body, 'publicClient'), spa: urisOf(body, 'spa') },
    secrets: listOf(member(body, 'passwordCredentials')).map(password => ({
      ...labelled(password, answer), expiresAt: timeOf(member(password, 'endDateTime')), hint: textOf(member(password, 'hint'))
    })),
    principal: principal === null ? null : { principalId: objectId(principal), enabled: member(principal.body, 'accountEnabled') !== false }
  }
}

function toApplication (item: unknown, answer: GraphAnswer): TaggedApplication {
  return {
    ...idsOf(item, answer),
    uniqueName: textOf(member(item, 'uniqueName')),
    displayName: textOf(member(item, 'displayName')) ?? '',
    tags: listOf(member(item, 'tags')).filter(tag => typeof tag === 'string'),
    createdAt: timeOf(member(item, 'createdDateTime')),
    passwords: listOf(member(item, 'passwordCredentials')).map(password =>
      ({ ...labelled(password, answer), startsAt: timeOf(member(password, 'startDateTime')) }))
  }
}

function idsOf (item: unknown, answer: GraphAnswer): ApplicationIds {
  const ids = readIds(item)
  if (ids === undefined) throw answer.unreadable()
  return ids
}

function labelled (password: unknown, answer: GraphAnswer): { keyId: string, label: string | null } {
  const keyId = member(password, 'keyId')
  if (!isGuid(keyId)) throw answer.unreadable()
  return { keyId, label: textOf(member(password, 'displayName')) }
}

/** What has no time is as young as can be: nobody judges it by its age. */
function timeOf (value: unknown): Date {
  const time = new Date(typeof value === 'string' ? value : Number.NaN)
  return Number.isNaN(time.getTime()) ? new Date() : time
}

function urisOf (body: unknown, platform: string): string[] {
  return listOf(member(member(body, platform), 'redirectUris')).filter(uri => typeof uri === 'string')
}

const listOf = (value: unknown): unknown[] => Array.isArray(value) ? value : []
const textOf = (value: unknown): string | null => typeof value === 'string' ? plainText(value, MAX_TEXT) : null
