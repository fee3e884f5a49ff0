// What browsers are told with every answer.
import type { FastifyHelmetOptions } from '@fastify/helmet'

/** Answers are data: a browser that shows one is to do nothing with it. The docs have a policy of their own. */
const POLICY = { 'default-src': ['\'none\''], 'frame-ancestors': ['\'none\''] }
const HTTPS_ONLY_SECONDS = 365 * 24 * 60 * 60

/**
 * @param isHttps callers reach the listener over TLS, which ends before it. RFC 6797 §7.2: over plain HTTP the promise must not be made.
 */
export function helmetOptions (isHttps: boolean): FastifyHelmetOptions {
  return {
    contentSecurityPolicy: { useDefaults: false, directives: POLICY },
    // Other services share the host name, or are beneath it.
    strictTransportSecurity: isHttps ? { maxAge: HTTPS_ONLY_SECONDS, includeSubDomains: false } : false
  }
}

/** For answers that no hook sees: what helmet says of data. */
export function plainSecurityHeaders (isHttps: boolean): Record<string, string> {
  return {
    'content-security-policy': Object.entries(POLICY).map(([name, sources]) => `${name} ${sources.join(' ')}`).join(';'),
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    ...(isHttps ? { 'strict-transport-security': `max-age=${HTTPS_ONLY_SECONDS}` } : {})
  }
}
