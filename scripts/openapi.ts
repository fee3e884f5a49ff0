// Writes openapi/*.json from the routes: npm run openapi
import { mkdir, writeFile } from 'node:fs/promises'
import { documentNames, openApiDocument } from './openapi-documents.ts'

await mkdir('openapi', { recursive: true })
for (const name of documentNames) {
  const path = `openapi/${name}.json`
  await writeFile(path, await openApiDocument(name))
  console.log(`Wrote ${path}.`)
}
