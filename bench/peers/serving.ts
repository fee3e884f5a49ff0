// What all peers do alike: say where they listen, and end with the benchmark that started them, however that ends.
import type { AddressInfo } from 'node:net'

/** @param address of the server, which listens on a free port */
export function announce (address: AddressInfo): void {
  console.log(`listening on ${address.port}`)
}

export function endWithParent (): void {
  process.stdin.resume().on('end', () => process.exit())
}

/** @throws {Error} when the benchmark has not set it */
export function given (name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}
