// Faults on demand: rules that catch a request and spoil it, before it is applied or after.

export type FaultAction =
  | { type: 'status', status: number, body?: unknown, headers?: Record<string, string> }
  /** A gateway's error page. */
  | { type: 'html', status: number }
  /** Closes the connection without an answer. */
  | { type: 'reset' }
  /** Never answers. */
  | { type: 'hang' }
  | { type: 'delay', ms: number }
  /** Announces the whole answer, sends half of it and closes the connection. */
  | { type: 'truncate' }

export interface FaultRule {
  match: {
    method?: string
    /** Regular expression over the decoded path, without the query. */
    path?: string
    /** How many requests it catches: 1 unless told. */
    times?: number | 'always'
    /** How many matching requests pass first. */
    skip?: number
  }
  action: FaultAction
  /** `after`: the request is applied, then the answer is spoilt, so that its caller can't know the outcome. Default: before. */
  when?: 'before' | 'after'
}

interface ArmedRule {
  id: number
  method: string | undefined
  path: RegExp
  action: FaultAction
  when: 'before' | 'after'
  skip: number
  remaining: number
}

/** A rule that has caught a request. */
export interface CaughtFault {
  id: number
  when: 'before' | 'after'
  action: FaultAction
}

export interface FaultRules {
  /** Arms a rule and resolves its number. Throws SyntaxError when `path` is no regular expression. */
  add (rule: FaultRule): number
  /** Disarms one rule, or all of them. */
  clear (id?: number): void
  /** The rules that still have requests to catch. */
  armed (): Array<{ id: number, when: string, action: FaultAction, remaining: number | 'always' }>
  /** The first armed rule for this request, counted as used. */
  catch (method: string, path: string): CaughtFault | null
}

export function createFaultRules (): FaultRules {
  let rules: ArmedRule[] = []
  let lastId = 0
  return {
    add ({ match, action, when = 'before' }) {
      const { times = 1, skip = 0 } = match
      const remaining = times === 'always' ? Infinity : times
      rules.push({ id: ++lastId, method: match.method?.toUpperCase(), path: new RegExp(match.path ?? ''), action, when, skip, remaining })
      return lastId
    },
    clear (id) {
      rules = id === undefined ? [] : rules.filter(rule => rule.id !== id)
    },
    armed () {
      return rules.map(({ id, when, action, remaining }) => ({ id, when, action, remaining: remaining === Infinity ? 'always' : remaining }))
    },
    catch (method, path) {
      for (const rule of rules) {
        if ((rule.method !== undefined && rule.method !== method) || !rule.path.test(path)) continue
        if (rule.skip > 0) {
          rule.skip--
          continue
        }
        rule.remaining--
        if (rule.remaining <= 0) rules = rules.filter(other => other !== rule)
        return { id: rule.id, when: rule.when, action: rule.action }
      }
      return null
    }
  }
}
