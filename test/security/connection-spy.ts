// Sees every connection, name look-up and datagram that this process begins, whatever library begins it, and lets nothing leave the machine.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import type { Test } from 'tap'

export interface ConnectionSpy {
  /** `host:port`, a path, `look-up of name` or `datagram`, each once; emptied by reading. */
  seen: () => string[]
}

type Anything = (...args: unknown[]) => unknown

const isLocal = (host: unknown): boolean => host === undefined || host === 'localhost' || host === '::1' || /^127\./.test(String(host))

export function spyOnConnections (t: Pick<Test, 'teardown'>): ConnectionSpy {
  let seen = new Set<string>()
  const replace = (owner: object, name: string, make: (original: Anything) => Anything): void => {
    const members = owner as Record<string, Anything>
    const original = members[name] as Anything
    members[name] = make(original)
    t.teardown(() => {
      members[name] = original
      syncBuiltinESMExports()
    })
  }
  // http, https, tls and undici all end here.
  replace(Socket.prototype, 'connect', original => function (this: Socket, ...args) {
    const { path, host, port } = targetOf(args)
    seen.add(path ?? `${host ?? 'localhost'}:${port}`)
    if (path !== undefined || isLocal(host)) return original.apply(this, args)
    process.nextTick(() => this.destroy(new Error('Tests stay on this machine.')))
    return this
  })
  for (const owner of [dns, dns.promises]) {
    for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveTxt', 'resolveSrv', 'resolveCname', 'resolveAny']) {
      replace(owner, name, original => (...args) => {
        if (!isLocal(args[0])) seen.add(`look-up of ${String(args[0])}`)
        return original(...args)
      })
    }
  }
  for (const name of ['send', 'connect']) {
    replace(dgram.Socket.prototype, name, () => () => { seen.add('datagram') })
  }
  syncBuiltinESMExports()
  return {
    seen: () => {
      const all = [...seen].sort()
      seen = new Set()
      return all
    }
  }
}

interface Target {
  path?: string
  host?: string
  port?: number | string
}

/** net.connect() hands its arguments on as one array; whoever calls the method himself gives options, or port and host. */
function targetOf ([first, second]: unknown[]): Target {
  const options: unknown = Array.isArray(first) ? first[0] : first
  if (typeof options === 'object' && options !== null) return options as Target
  return { port: options as number, ...(typeof second === 'string' && { host: second }) }
}
