// Writes the tables in docs/errors.md from the error tables of the surfaces: node --import=tsx scripts/errors-docs.ts
import { errorCatalogue } from './error-catalogue.ts'
import { writeGeneratedPart } from './generated-part.ts'

await writeGeneratedPart('docs/errors.md', 'errors', errorCatalogue())
