// Cases that share what they are measured on.
import type { Row } from '../contest.ts'
import type { Extent } from '../extent.ts'
import type { Surroundings } from '../surroundings.ts'

export interface Group {
  /** As `--only` takes it. */
  name: string
  /** What is left out unless it is asked for by name. */
  onlyByName?: true
  run (surroundings: Surroundings, extent: Extent, tell: (what: string) => void): Promise<GroupResult>
}

export interface GroupResult {
  rows: Row[]
  /** Said under the table. */
  notes?: string[]
}
