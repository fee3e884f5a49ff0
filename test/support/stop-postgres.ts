// tap runs this after the last test file.
import { stopTestServer } from './postgres-run.ts'

await stopTestServer(process.ppid)
