// The parts of the settings that hold secrets, as objects that don't show them when they are printed, logged or put into JSON. Whoever asks
// for a member gets it.
import { inspect } from 'node:util'
import { censor } from '../log-redaction.ts'
import type { CallerSettings, EntraCredential } from './settings.ts'

export const concealedDatabase = ({ url }: { url: string }): { url: string } => concealed({ url }, ['url'])

export const concealedCallers = (callers: CallerSettings): CallerSettings =>
  concealed({ ...callers }, ['konnectApiKeys', 'adminApiKeys', 'gatewayApiKeys', 'initialAccessTokens'])

/** Of a file only its path is here, and that is shown. */
export const concealedCredential = (credential: EntraCredential): EntraCredential =>
  credential.kind === 'secret' ? concealed({ ...credential }, ['secret']) : credential

function concealed<Value extends object> (value: Value, secrets: ReadonlyArray<keyof Value & string>): Value {
  const shown = (): object => Object.fromEntries(Object.entries(value).map(([name, member]) =>
    [name, secrets.some(secret => secret === name) ? censoredForm(member) : member as unknown]))
  // Not enumerable: a copy by `...` is made of the members alone, and has to be concealed again.
  return Object.defineProperties(value, { [inspect.custom]: { value: shown }, toJSON: { value: shown } })
}

/** How many there are is no secret. */
function censoredForm (member: unknown): unknown {
  return Array.isArray(member) ? member.map(() => censor) : censor
}
