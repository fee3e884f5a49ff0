// Host names that read like others: https://xn--80ak6aa92e.com/ is shown as a name of Latin letters, and has none.
// The rule is the one of browsers, which decide by it whether a name is shown in its own letters (UTS 39 §5).
import { domainToUnicode } from 'node:url'

const LATIN = /\p{Script=Latin}/u
/** Beside Latin these are everyday mixtures; another script in a label with Latin letters is a disguise. */
const FOREIGN_TO_LATIN = /(?!\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Bopomofo}|\p{Script=Latin})\p{L}/u
/** Cyrillic, Greek and Armenian letters that nobody can tell from Latin ones, digits and hyphens between them. */
const READS_AS_LATIN = /^[асԁеһіјӏорԛѕԝхуүѵѡαικνορυχωոսօցհզ0-9-]+$/u

/** Why the host of a URI would deceive a reader, as the end of a sentence; null when it would not. `host` as the URL parser gives it. */
export function refusalOfLookAlike (host: string): string | null {
  if (!/(^|\.)xn--/.test(host)) return null
  const labels = domainToUnicode(host).split('.')
  // In a top-level domain of its own script a word of that script is what it seems to be.
  const isAtHome = !/^[\x21-\x7e]*$/.test(labels.at(-1) ?? '')
  const isDisguised = (label: string): boolean => !/^[\x21-\x7e]*$/.test(label) &&
    ((LATIN.test(label) && FOREIGN_TO_LATIN.test(label)) || (!isAtHome && READS_AS_LATIN.test(label)))
  return labels.some(isDisguised) ? 'has a host name that reads like another one' : null
}
