// Members of Kong's openid-connect configuration that hold a secret: no place for one in an object that is shown.
import type { Json } from '../registration/registration.ts'

const SECRET = /(^|_)(secret|password|passphrase|private_key|proxy_authorization)$|(^|_)client_jwk$/
/** Kong: a reference to a vault says where the secret is. */
const REFERENCE = /^\{vault:\/\/[^{}]+\}$/

/** Dotted paths. References, nulls and empty lists are none. */
export function secretsIn (config: Readonly<Record<string, Json>>, path: readonly string[] = []): string[] {
  return Object.entries(config).flatMap(([name, value]) => {
    if (SECRET.test(name) && !isHarmless(value)) return [[...path, name].join('.')]
    return [value].flat().filter(isRecord).flatMap(inner => secretsIn(inner, [...path, name]))
  })
}

function isHarmless (value: Json): boolean {
  if (Array.isArray(value)) return value.every(isHarmless)
  return value === null || (typeof value === 'string' && REFERENCE.test(value))
}

function isRecord (value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
