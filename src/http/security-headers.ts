// What browsers are told with every answer. The docs have a policy of their own.

/** Answers are data: a browser that shows one is to do nothing with it. */
const HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN'
}
const HTTPS_ONLY_SECONDS = 365 * 24 * 60 * 60

/**
 * @param isHttps callers reach the listener over TLS, which ends before it. RFC 6797 §7.2: over plain HTTP the promise must not be made.
 */
export function securityHeaders (isHttps: boolean): Record<string, string> {
  // Other services share the host name, or are beneath it.
  return isHttps ? { ...HEADERS, 'strict-transport-security': `max-age=${HTTPS_ONLY_SECONDS}` } : HEADERS
}
