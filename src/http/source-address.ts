// From where a request comes: the socket's other end, or whom a proxy that we know names (X-Forwarded-For).
import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** Some proxies name the port as well (Azure Application Gateway): `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const WITH_PORT = /^(?:\[([^[\]]+)\]|([\d.]+))(?::\d{1,5})?$/

/** Whether an address is one of these. @param proxies addresses and networks (CIDR), as the settings have checked them */
export function trustOf (proxies: readonly string[]): (address: string | undefined) => boolean {
  const known = new BlockList()
  for (const proxy of proxies) {
    const [address = '', prefix] = proxy.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) known.addAddress(address, family)
    else known.addSubnet(address, Number(prefix), family)
  }
  return shown => {
    const address = withoutPort(shown ?? '')
    const version = isIP(address)
    return version !== 0 && known.check(address, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/** For audit and limits. What a proxy names and is no address stands for the proxy itself. */
export function sourceAddressOf ({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  // Of a connection that is gone there is none.
  const address = withoutPort((ip as string | undefined) ?? '')
  return isIP(address) === 0 ? socket.remoteAddress ?? '' : address
}

function withoutPort (address: string): string {
  const [, inBrackets, plain] = WITH_PORT.exec(address) ?? []
  return inBrackets ?? plain ?? address
}
