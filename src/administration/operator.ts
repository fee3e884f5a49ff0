// On whose behalf an administrative change is made, for the audit.

export interface Operator {
  /** Id of the caller; `cli` for the command line. */
  actor: string
  requestId: string | null
  /** Address the request came from; null: not over the network. */
  sourceAddress: string | null
}

export const commandLine: Operator = { actor: 'cli', requestId: null, sourceAddress: null }
