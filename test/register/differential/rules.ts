// Where the broker and the other implementation differ on purpose: as rules about documents, each with its reason.
import { X509Certificate } from 'node:crypto'
import type { Document } from './documents.ts'
import { isAbsent, isEmptyMember, isUri, isWebUrl, known, listOf, redirectsOf, textOf, urisOf, usableGrants } from './readings.ts'

export type Verdict = 'accepted' | 'refused'

export interface Verdicts {
  broker: Verdict
  other: Verdict
}

export interface Rule {
  name: string
  /** One sentence, with its source. */
  why: string
  applies: (document: Document) => boolean
  /** Of a document that nothing else is wrong with. Whoever refuses here refuses every document to which the rule applies. */
  expected: Verdicts
}

const brokerAccepts: Verdicts = { broker: 'accepted', other: 'refused' }
const brokerRefuses: Verdicts = { broker: 'refused', other: 'accepted' }

export const rules: Rule[] = [
  {
    name: 'suitable values',
    why: 'RFC 7591 §2 and §3.2.1: a server may replace requested values by suitable ones and say so; a list is cut to what is possible.',
    expected: brokerAccepts,
    applies: document => isCut(listOf(document, 'grant_types'), known.grantTypes) || isCut(listOf(document, 'response_types'), known.responseTypes) ||
      hasUnknownScopes(textOf(document, 'scope')) || textOf(document, 'subject_type') === 'pairwise' ||
      !['RS256', undefined, ''].includes(textOf(document, 'id_token_signed_response_alg'))
  },
  {
    name: 'empty is absent',
    why: 'RFC 7592 §2.2 reads null and empty values as omitted ones, and clients send on POST what they send on PUT.',
    expected: brokerAccepts,
    applies: document => Object.keys(document).some(member => isEmptyMember(document, member))
  },
  {
    name: 'application type by its URIs',
    why: 'RFC 7591 has no application_type: a client that sends none may be an installed one; OpenID Registration §2 takes web for granted.',
    expected: brokerAccepts,
    applies: document => isAbsent(document, 'application_type') && urisOf(document).some(uri => /^urn:./i.test(uri) || isOfInstalled(uri))
  },
  {
    name: 'http on the own machine only',
    why: 'RFC 7591 §5: a redirect URI is https, or http on the local machine, or a scheme of the application.',
    expected: brokerRefuses,
    applies: document => typeOf(document) !== 'native' && webUrlsOf(document).some(url => url.protocol === 'http:' && !isLoopback(url))
  },
  {
    name: 'web is not on loopback',
    why: 'OpenID Registration §2 keeps localhost and http from web clients; the other asks it of implicit grants only, which the broker has not.',
    expected: brokerRefuses,
    applies: document => typeOf(document) === 'web' && webUrlsOf(document).some(isLoopback)
  },
  {
    name: 'redirect URIs of Entra',
    why: 'Entra (reply-url): 256 URIs of 256 characters, none of ! $ \' ( ) , ; no wildcards here, no IPv6, and a host behind every scheme but urn.',
    expected: brokerRefuses,
    applies: document => redirectsOf(document) > 256 ||
      webUrlsOf(document).some(({ href, hostname }) => href.length > 256 || /[!$'(),;*]/.test(href) || hostname.startsWith('[')) ||
      (typeOf(document) === 'native' && urisOf(document).some(uri => /^(com\.example\.app|myapp):(?!\/\/)/.test(uri)))
  },
  {
    name: 'one reading of a redirect URI',
    why: 'RFC 9700 §4.1.3: redirect URIs are compared as text, so what parsers rewrite or read in two ways is refused.',
    expected: brokerRefuses,
    applies: document => urisOf(document).filter(isWebUrl).some(uri => isRewritten(uri) || new URL(uri).username !== '')
  },
  {
    name: 'no private networks',
    why: 'IANA special-purpose addresses: a code sent there goes to whoever has the address in the network of the browser.',
    expected: brokerRefuses,
    applies: document => webUrlsOf(document).some(url => url.protocol === 'https:' && /^(10|169\.254|192\.168)\./.test(url.hostname))
  },
  {
    name: 'keys with certificates',
    why: 'Entra: keyCredentials holds certificates only, so a key needs its certificate in x5c (RFC 7517 §4.7).',
    expected: brokerRefuses,
    applies: document => document['token_endpoint_auth_method'] === 'private_key_jwt' && document['jwks_uri'] === undefined &&
      isPublicKeySet(document['jwks']) && !isCertified(document['jwks'].keys)
  },
  {
    name: 'nothing is fetched',
    why: 'Entra follows no jwks_uri, and the broker fetches nothing that a caller names; a server may refuse any value (RFC 7591 §2).',
    expected: brokerRefuses,
    applies: document => isWebUrl(textOf(document, 'jwks_uri') ?? '') && document['jwks'] === undefined
  },
  {
    name: 'response types follow the grants',
    why: 'RFC 7591 §2.1: the response types correspond to the grant types; a client that has no use for a redirect needs no redirect URI (§2).',
    expected: brokerAccepts,
    applies: document => redirectsOf(document) === 0 &&
      (document['response_types'] === undefined || listOf(document, 'response_types')?.includes('code') === true) &&
      usableGrants(document)?.some(grant => grant === 'client_credentials' || grant.endsWith(':jwt-bearer')) === true &&
      usableGrants(document)?.includes('authorization_code') === false
  },
  {
    name: 'a grant to begin with',
    why: 'RFC 7591 §2.1: a server should keep clients from an inconsistent state: no grant, a refresh of nothing, a code that can go nowhere.',
    expected: brokerRefuses,
    applies: document => {
      const usable = usableGrants(document)
      return listOf(document, 'grant_types')?.length === 0 || (usable?.join() === 'refresh_token' && !asksForCode(document)) ||
        (document['grant_types'] !== null && usable?.includes('authorization_code') === true &&
          redirectsOf(document) === 0 && listOf(document, 'response_types')?.length === 0)
    }
  },
  {
    name: 'no secret, no grant that needs one',
    why: 'RFC 6749 §4.4: the client credentials grant is for confidential clients only; so is Entra\'s jwt-bearer.',
    expected: brokerRefuses,
    applies: document => (listOf(document, 'grant_types')?.length ?? 0) > 0 && usableGrants(document)?.length === 0 &&
      listOf(document, 'grant_types')?.some(grant => known.grantTypes.includes(grant)) === true
  },
  {
    name: 'contacts of any kind',
    why: 'RFC 7591 §2: contacts are ways to contact people, typically e-mail addresses.',
    expected: brokerAccepts,
    applies: document => listOf(document, 'contacts')?.every(contact => contact !== '') === true &&
      listOf(document, 'contacts')?.some(contact => !/^[^@\s]+@[^@\s]+$/.test(contact)) === true
  },
  {
    name: 'members the other does not know',
    why: 'RFC 7591 §2 and §2.2: software_id and software_version are strings, and localised members are like their base member.',
    expected: brokerRefuses,
    applies: document => ['software_id', 'software_version', 'client_name#ja', 'tos_uri#fr'].some(member => {
      const value = textOf(document, member)
      return !isAbsent(document, member) && (value === undefined || (member.startsWith('tos_uri') && !isWebUrl(value)))
    })
  }
]

/** Something of the list is possible, and something is not. */
function isCut (asked: string[] | undefined, possible: readonly string[]): boolean {
  return asked !== undefined && asked.some(value => possible.includes(value)) && !asked.every(value => possible.includes(value))
}

// RFC 6749 §3.3
function hasUnknownScopes (scope: string | undefined): boolean {
  return scope !== undefined && scope !== '' && /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(scope) && !scope.split(' ').every(name => known.scopes.includes(name))
}

function asksForCode (document: Document): boolean {
  return listOf(document, 'response_types')?.includes('code') === true && redirectsOf(document) > 0
}

function typeOf (document: Document): string | undefined {
  return textOf(document, 'application_type') || undefined
}

function webUrlsOf (document: Document): URL[] {
  return urisOf(document).filter(isWebUrl).map(uri => new URL(uri))
}

function isLoopback ({ hostname }: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

function isOfInstalled (uri: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+/i.test(uri) && isUri(uri) && !/^(https?|file|ftp):/i.test(uri)
}

/** By WHATWG's parser, beyond the case of scheme and host and the slash of an empty path. */
function isRewritten (uri: string): boolean {
  const [, origin = '', rest = ''] = /^(https?:\/\/[^/?#]*)(.*)$/i.exec(uri) ?? []
  return new URL(uri).href !== `${origin.toLowerCase()}${rest || '/'}`
}

function isPublicKeySet (value: unknown): value is { keys: Array<Record<string, unknown>> } {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) return false
  return value.keys.every(key => typeof key === 'object' && key !== null && !('d' in key) && !('k' in key))
}

function isCertified (keys: Array<Record<string, unknown>>): boolean {
  return keys.length > 0 && keys.every(({ n, x5c }) => {
    if (!Array.isArray(x5c)) return false
    return new X509Certificate(Buffer.from(String(x5c[0]), 'base64')).publicKey.export({ format: 'jwk' }).n === n
  })
}
