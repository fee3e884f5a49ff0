// Loaded before the broker: it stops itself (SIGSTOP) in the moment before a call to Entra is written to its socket. Once it goes on
// the call is sent, however late: the last look at the lease lies behind it. Which call is said by a file in PROCESS_FOLDER.
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { ARMED_FILE, STOPPED_FILE } from './stop-before-call-files.ts'

const folder = process.env['PROCESS_FOLDER'] ?? ''

subscribe('undici:client:sendHeaders', message => {
  const { request: { method, path } } = message as { request: { method: string, path: string } }
  const pattern = armedPattern()
  if (pattern === null || !pattern.test(`${method} ${path}`)) return
  renameSync(join(folder, ARMED_FILE), join(folder, STOPPED_FILE))
  process.kill(process.pid, 'SIGSTOP')
})

function armedPattern (): RegExp | null {
  try {
    return new RegExp(readFileSync(join(folder, ARMED_FILE), 'utf8'))
  } catch {
    return null
  }
}
