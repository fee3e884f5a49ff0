// Writes the software bill of materials to standard output: npm run --silent sbom > dcr-broker.cdx.json
import { readFile } from 'node:fs/promises'
import { billOfMaterials } from './bill-of-materials.ts'
import type { Lockfile } from './locked-packages.ts'

const lockfile = JSON.parse(await readFile('package-lock.json', 'utf8')) as Lockfile
console.log(JSON.stringify(billOfMaterials(lockfile), null, 2))
