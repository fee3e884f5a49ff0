// Writes src/secret-members.ts from what the schemas mark x-secret: node --import=tsx scripts/secret-members.ts
import { writeFile } from 'node:fs/promises'
import { markedMembers, memberFile, SECRET_MEMBERS_PATH } from './marked-members.ts'

await writeFile(SECRET_MEMBERS_PATH, memberFile(await markedMembers()))
console.log(`Wrote ${SECRET_MEMBERS_PATH}.`)
