// How a test tells a broker process with `stop-before-call` preloaded where to stop, and sees that it stands.
import { access, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrokerProcess } from '../support/broker-process.ts'
import { eventually } from '../support/eventually.ts'

export const ARMED_FILE = 'stop-before'
export const STOPPED_FILE = 'stopped'

/** @param call fits `METHOD /path` of the one call to stop before */
export async function armStop ({ folder }: BrokerProcess, call: RegExp): Promise<void> {
  await rm(join(folder, STOPPED_FILE), { force: true })
  await writeFile(join(folder, `${ARMED_FILE}.draft`), call.source)
  await rename(join(folder, `${ARMED_FILE}.draft`), join(folder, ARMED_FILE))
}

/** Resolves when the process stands still before the call. */
export async function standsStill ({ folder }: BrokerProcess): Promise<void> {
  await eventually('the process has stopped itself', async () => await access(join(folder, STOPPED_FILE)).then(() => true, () => false))
}
