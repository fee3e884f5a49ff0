// Kong's published contract, when it lies beside the project: its response schemas are closed and judge our answers.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { Test } from 'tap'
import { parse } from 'yaml'

const path = resolve('../shared/data/kong-dcr-openapi.yaml')

export type KongSchema =
  | 'ApplicationResponse' | 'SecretResponse' | 'SecretWithIdResponse' | 'SecretListResponse' | 'BadRequestResponse' | 'UnauthorizedResponse'

/** Says so in the output when the contract is not there; then nothing is judged by it, and our own closed schemas remain. */
export function kongContract (t: Test): (name: KongSchema, body: unknown) => void {
  if (!existsSync(path)) {
    t.comment('Kong\'s contract is not beside the project: answers are checked against our own schemas only')
    return () => {}
  }
  const ajv = new Ajv({ strict: false })
  addFormats.default(ajv)
  ajv.addSchema(parse(readFileSync(path, 'utf8')), 'kong')
  return (name, body) => {
    const validate = ajv.getSchema(`kong#/components/schemas/${name}`)
    if (validate === undefined) throw new Error(`Kong's contract has no ${name}`)
    t.ok(validate(body), `fits Kong's ${name}`, { errors: validate.errors, body })
  }
}
