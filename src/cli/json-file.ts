// JSON files that a command is given.
import { readFile } from 'node:fs/promises'
import type { Static, TSchema } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { CommandError } from './command.ts'

/** @throws CommandError when it can't be read or is not JSON */
export async function readJsonFile (path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandError([`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`])
  })
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandError([`${path} is not JSON.`])
  }
}

/** The content of the file, of the schema's form. @throws CommandError with a line for each member that is not acceptable */
export async function readDocument<Schema extends TSchema> (path: string, schema: Schema): Promise<Static<Schema>> {
  const document = await readJsonFile(path)
  if (Check(schema, document)) return document
  const faults = [...Errors(schema, document)]
    // Of a member that is not known the parser tells twice.
    .filter(({ message }) => message !== 'schema is false')
    .map(({ keyword, instancePath, message, params }) => {
      const field = instancePath.split('/').slice(1).join('.')
      if (keyword === 'additionalProperties') return `${field === '' ? '' : `${field}: `}${[Object.values(params)].flat(2).join(', ')} is not known here.`
      return `${field === '' ? 'The document' : field} ${message}${keyword === 'enum' ? `: ${[Object.values(params)].flat(2).join(', ')}` : ''}.`
    })
  throw new CommandError([...new Set(faults)].map(fault => `${path}: ${fault}`))
}
