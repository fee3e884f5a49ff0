// Writes the reference in docs/cli.md from the table of commands: node --import=tsx scripts/cli-docs.ts
import { cliReference } from '../src/cli/reference.ts'
import { writeGeneratedPart } from './generated-part.ts'

await writeGeneratedPart('docs/cli.md', 'commands', cliReference())
