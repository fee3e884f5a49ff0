// What every answer has to be, whatever was asked: no fault of the broker, in its surface's dialect, and telling nothing it should not.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { DescribedRoute, Listener } from './described-routes.ts'
import { readDocument } from './described-routes.ts'
import type { HttpCase } from './cases.ts'
import type { WireAnswer } from './wire.ts'

export interface Judge {
  /** What is wrong with an answer; none when all is well. */
  faultsOf (asked: Pick<HttpCase, 'route' | 'listener' | 'method'>, answer: WireAnswer): string[]
  /** The same without a request that could be read. */
  faultsOfRaw (listener: Listener, answer: WireAnswer): string[]
}

/** Stacks, files, statements. */
const INNER = [
  /\n\s+at /, /node_modules/, /\/(tmp|work|home|usr|var|proc)\//, /\.[cm]?[jt]s:\d/, /prisma/i, /\b(SELECT|INSERT INTO|UPDATE|DELETE) .+\b(FROM|VALUES|SET)\b/,
  /ECONN|ENOENT/, /FST_|HPE_|ERR_/
]

const ERRORS: Record<Listener, string[]> = { public: ['OAuthError', 'KonnectError', 'Problem'], operations: ['Problem'] }

/** @param hidden texts that no error of the listener may show */
export function createJudge (hidden: Record<Listener, readonly string[]>): Judge {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  for (const listener of ['public', 'operations'] as const) ajv.addSchema(readDocument(listener), listener)
  const compiled = new Map<string, ValidateFunction | null>()

  function validator (reference: string): ValidateFunction | null {
    const known = compiled.get(reference)
    if (known !== undefined) return known
    const made = ajv.getSchema(reference) ?? null
    compiled.set(reference, made)
    return made
  }

  function schemaOf ({ listener, template, method }: DescribedRoute, status: number, type: string): ValidateFunction | null {
    const escape = (text: string) => text.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')
    return validator(`${listener}#/paths/${escape(template)}/${method.toLowerCase()}/responses/${status}/content/${escape(type)}/schema`)
  }

  function faultsOfBody (listener: Listener, route: DescribedRoute | null, { status, headers, body }: WireAnswer): string[] {
    const [type = ''] = (headers['content-type'] ?? '').split(';')
    if (status < 400) {
      if (route === null || body === '' || !/[/+]json$/.test(type)) return []
      return fits(schemaOf(route, status, type), body) ? [] : [`a ${status} that is not as its document says`]
    }
    const inner = [...INNER.filter(pattern => pattern.test(body)).map(String), ...hidden[listener].filter(text => body.includes(text)).map(() => 'a secret')]
    const own = route === null ? null : schemaOf(route, status, type)
    const fitsOne = own !== null ? fits(own, body) : ERRORS[listener].some(name => fits(validator(`${listener}#/components/schemas/${name}`), body))
    return [...inner.map(pattern => `an error that tells ${pattern}`), ...fitsOne ? [] : [`an error in no dialect of the listener (${type})`]]
  }

  return {
    faultsOf ({ route, listener, method }, answer) {
      const sameMethod = method === route.method
      const body = method === 'HEAD' ? [] : faultsOfBody(listener, sameMethod ? route : null, answer)
      return [...faultOfStatus(answer), ...body]
    },
    faultsOfRaw: (listener, answer) => [...faultOfStatus(answer), ...faultsOfBody(listener, null, answer)]
  }
}

function faultOfStatus ({ status, headers }: WireAnswer): string[] {
  return [
    ...status >= 500 ? [`a ${status}`] : [],
    ...status >= 400 && headers['cache-control'] !== 'no-store' ? ['an error that may be stored'] : []
  ]
}

function fits (validate: ValidateFunction | null, body: string): boolean {
  if (validate === null) return true
  try {
    return validate(JSON.parse(body))
  } catch {
    return false
  }
}

// What the broker says before a route's schema or use case is asked.
const BEFORE = [
  /There is no such route/, /path can't be decoded/, /The request can't be read/, /has no Host/, /did not arrive/, /headers are too large/,
  /The body (is not JSON|must be|must not be|is larger|holds a NUL|is nested|is not UTF-8)/
]

/** Whether the schema or the core of a guarded route has judged the request: it was let in, its body could be read, and it was answered. */
export function reachedValidation ({ route }: Pick<HttpCase, 'route'>, { status, body }: WireAnswer): boolean {
  if (route.credential === 'none' || [401, 403, 405, 408, 413, 415, 429, 431].includes(status)) return false
  return status < 400 || !BEFORE.some(sentence => sentence.test(body))
}
