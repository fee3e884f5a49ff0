// All groups of cases, in the order in which they run. A new one is added here.
import { createLatency } from './create-latency.ts'
import { createStatements } from './create-statements.ts'
import { createThroughput } from './create-throughput.ts'
import { gateway } from './gateway.ts'
import type { Group } from './group.ts'
import { read } from './read.ts'
import { refused } from './refused.ts'
import { sealing } from './sealing.ts'
import { start } from './start.ts'

// Autovacuum rests once statements have been counted: so they are counted last.
const groups: readonly Group[] = [createLatency, createThroughput, read, refused, gateway, start, createStatements, sealing]

/** @param names of groups, or what several begin with (`create`); none: all but those for the asking @throws {RangeError} for a name that none has */
export function groupsNamed (names: readonly string[]): Group[] {
  if (names.length === 0) return groups.filter(group => group.onlyByName !== true)
  const isMeant = (group: Group, name: string) => group.name === name || group.name.startsWith(`${name}-`)
  const stranger = names.find(name => !groups.some(group => isMeant(group, name)))
  if (stranger !== undefined) throw new RangeError(`There is no group ${stranger}. There are: ${groups.map(({ name }) => name).join(', ')}`)
  return groups.filter(group => names.some(name => isMeant(group, name)))
}
