// tap runs this before the first test file: the database starts while the files that do not need it already run.
import { startTestServer } from './postgres-run.ts'

await startTestServer(process.ppid)
