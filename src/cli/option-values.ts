// Values of options, checked: each function throws UsageError with what would be accepted.
import { UsageError } from './command.ts'

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>

export const providerOption = { type: 'string', about: 'Name of the provider; default if left out.' } as const
export const jsonOption = { type: 'boolean', about: 'Answer in JSON.' } as const

/** The given text, or undefined; an empty one is a fault. */
export function textOption (values: OptionValues, name: string): string | undefined {
  const value = values[name]
  if (value === '') throw new UsageError(`--${name} is empty.`)
  return typeof value === 'string' ? value : undefined
}

export function requiredOption (values: OptionValues, name: string): string {
  const value = textOption(values, name)
  if (value === undefined) throw new UsageError(`--${name} is missing.`)
  return value
}

/** The entries of a comma list, or undefined. */
export function listOption (values: OptionValues, name: string): string[] | undefined {
  const entries = textOption(values, name)?.split(',').map(entry => entry.trim())
  if (entries?.includes('') === true) throw new UsageError(`--${name} has an empty entry. Accepted: a comma list.`)
  return entries
}

export function providerOf (values: OptionValues): string {
  return textOption(values, 'provider') ?? 'default'
}

export function guidOption (values: OptionValues, name: string): string {
  const value = requiredOption(values, name)
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) throw new UsageError(`--${name} is not acceptable. Accepted: a GUID as the Entra portal shows it.`)
  return value.toLowerCase()
}

export function wholeNumberOption (values: OptionValues, name: string, most: number): number | null {
  const text = textOption(values, name)
  if (text === undefined) return null
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > most) throw new UsageError(`--${name} is not acceptable. Accepted: a whole number from 1 to ${most}.`)
  return value
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const longestDays = 3650

/** Milliseconds; null when it is not given. */
export function durationOption (values: OptionValues, name: string): number | null {
  const text = textOption(values, name)
  if (text === undefined) return null
  const [, count, unit] = /^([1-9]\d{0,6})([mhd])$/.exec(text) ?? []
  const ms = Number(count) * (unitMs[unit ?? ''] ?? NaN)
  if (!(ms <= longestDays * 86_400_000)) throw new UsageError(`--${name} is not acceptable. Accepted: minutes, hours or days up to ${longestDays} days, as in 30m, 12h, 30d.`)
  return ms
}

export function oneOfOption<Name extends string> (values: OptionValues, name: string, accepted: readonly Name[]): Name {
  const value = requiredOption(values, name)
  const found = accepted.find(each => each === value)
  if (found === undefined) throw new UsageError(`--${name} is not acceptable. Accepted: ${accepted.join(', ')}.`)
  return found
}

/** The only argument of a command, such as a name. */
export function soleArgument (positionals: readonly string[], what: string): string {
  const [value, ...rest] = positionals
  if (value === undefined || value === '' || rest.length > 0) throw new UsageError(`Exactly one argument is needed: ${what}.`)
  return value
}

export function noArguments (positionals: readonly string[]): void {
  if (positionals.length > 0) throw new UsageError(`Unexpected argument: ${positionals.join(' ')}`)
}
