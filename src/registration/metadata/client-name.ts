// Names and descriptions: what the record keeps, and the safe form that Entra and its portal show.
import { RegistrationError } from '../errors.ts'

/** Entra: 120 in its validation table (Graph takes 256). UTF-16 units. */
const MAX_DISPLAY_NAME = 120
const MAX_DESCRIPTION = 1_024
/** Konnect allows 255; more than this is not a name. */
const MAX_NAME = 1_000

// Control, bidirectional and invisible format characters: they make one name look like another.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/**
 * The name as the record keeps it, trimmed.
 * @throws RegistrationError invalid_client_metadata when it is empty, too long, or no text
 */
export function acceptName (member: string, name: string): string {
  const text = acceptText(member, name).trim()
  if (text.replace(UNSAFE, '').trim() === '') throw new RegistrationError('invalid_client_metadata', `${member} must not be empty.`)
  if (text.length > MAX_NAME) throw new RegistrationError('invalid_client_metadata', `${member} is longer than ${MAX_NAME} characters.`)
  return text
}

/** PostgreSQL and JSON can't hold NUL and lone surrogates; everything else is kept as it came. */
export function acceptText (member: string, text: string): string {
  if (text.includes('\u0000') || !text.isWellFormed()) {
    throw new RegistrationError('invalid_client_metadata', `${member} holds a NUL or half a surrogate pair.`)
  }
  return text
}

/** What Entra shows: NFC, one line, nothing invisible, at most 120 UTF-16 units, no half characters. */
export function displayNameOf (name: string): string {
  return displayTextOf(name, MAX_DISPLAY_NAME) || 'unnamed client'
}

export function descriptionOf (description: string | null): string | null {
  if (description === null) return null
  return displayTextOf(description, MAX_DESCRIPTION) || null
}

/** One visible line of at most so many UTF-16 units; empty when nothing of it can be seen. */
export function displayTextOf (text: string, maxUnits: number): string {
  return shorten(oneLine(text), maxUnits)
}

function oneLine (text: string): string {
  return text.normalize('NFC').replace(/[\t-\r]+/g, ' ').replace(UNSAFE, '').replace(/\s+/gu, ' ').trim()
}

function shorten (text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text
  let short = ''
  for (const character of text) {
    if (short.length + character.length > maxUnits) break
    short += character
  }
  return short.trim()
}
