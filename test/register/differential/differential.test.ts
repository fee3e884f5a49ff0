// Two implementations of RFC 7591 that share no code judge the same documents. Where they differ, a named rule says why.
import t from 'tap'
import { request, startTestBroker } from '../../support/broker.ts'
import { generateDocuments, type Generated } from './documents.ts'
import { startOtherProvider } from './other-provider.ts'
import { rules, type Verdict, type Verdicts } from './rules.ts'

const SEED = 75910
const DOCUMENTS = 600
const AT_ONCE = 6
const REFUSALS = ['invalid_redirect_uri', 'invalid_client_metadata', 'invalid_request']

interface Judged extends Generated {
  verdicts: Verdicts
  answers: string[]
  /** Names of the rules that apply. */
  rules: string[]
}

t.test('the broker and an independent implementation judge generated documents alike, but for the named rules', async t => {
  const { url } = await startTestBroker(t, { environment: { REGISTRATION_MODE: 'open' } })
  const other = await startOtherProvider(t)
  t.comment(`${DOCUMENTS} documents of the seed ${SEED}`)
  const judged = await judgeAll(generateDocuments(SEED, DOCUMENTS), url, other)

  const accepted = judged.filter(({ verdicts }) => verdicts.broker === 'accepted').length
  t.ok(accepted >= 0.3 * DOCUMENTS, 'three in ten documents are accepted', { accepted })
  t.ok(DOCUMENTS - accepted >= 0.3 * DOCUMENTS, 'three in ten documents are refused', { accepted })
  t.ok(rules.length <= 15, 'there are few rules')

  t.strictSame(judged.filter(isUncovered).map(shown), [], 'every disagreement has a rule that predicts it')
  t.strictSame(judged.filter(breaksARule).map(shown), [], 'whoever a rule makes refuse, refuses')
  const alone = judged.filter(({ rules, oddities }) => rules.length === 1 && oddities === 1)
  t.strictSame(alone.filter(({ rules: [name], verdicts }) => !isSame(expectedOf(name), verdicts)).map(shown), [], 'a rule that applies alone predicts both verdicts')
  for (const { name } of rules) t.ok(alone.some(({ rules: [only] }) => only === name), `the rule is used: ${name}`)
})

async function judgeAll (documents: Generated[], broker: string, other: string): Promise<Judged[]> {
  const judged: Judged[] = []
  const queue = documents.entries()
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [index, generated] of queue) judged[index] = await judge(generated, broker, other)
  }))
  return judged
}

async function judge (generated: Generated, broker: string, other: string): Promise<Judged> {
  const { body, document } = generated
  const [ours, theirs] = await Promise.all([broker, other].map(async base => await register(base, body)))
  if (ours === undefined || theirs === undefined) throw new Error('two bases have two answers')
  return {
    ...generated,
    verdicts: { broker: ours.verdict, other: theirs.verdict },
    answers: [ours.answer, theirs.answer],
    rules: document === null ? [] : rules.filter(({ applies }) => applies(document)).map(({ name }) => name)
  }
}

/** @throws when it is neither a registration nor a refusal of RFC 7591 */
async function register (base: string, document: string): Promise<{ verdict: Verdict, answer: string }> {
  const { status, body } = await request(`${base}/register`, 'POST', document)
  const answer = `${status} ${JSON.stringify(body)}`
  if (status === 201) return { verdict: 'accepted', answer }
  if (status === 400 && REFUSALS.includes(body?.error)) return { verdict: 'refused', answer }
  throw new Error(`${base} answers ${answer} to ${document}`)
}

function expectedOf (name: string | undefined): Verdicts {
  const rule = rules.find(rule => rule.name === name)
  if (rule === undefined) throw new Error(`no rule is named ${name}`)
  return rule.expected
}

function isSame (a: Verdicts, b: Verdicts): boolean {
  return a.broker === b.broker && a.other === b.other
}

function isUncovered ({ verdicts, rules }: Judged): boolean {
  return verdicts.broker !== verdicts.other && !rules.some(name => isSame(expectedOf(name), verdicts))
}

function breaksARule ({ verdicts, rules }: Judged): boolean {
  return rules.map(expectedOf).some(({ broker, other }) => (broker === 'refused' && verdicts.broker !== broker) || (other === 'refused' && verdicts.other !== other))
}

function shown ({ body, rules, answers: [broker = '', other = ''] }: Judged): Record<string, unknown> {
  return { document: body.slice(0, 2_000), rules, broker: broker.slice(0, 400), other: other.slice(0, 400) }
}
