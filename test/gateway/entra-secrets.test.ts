// Secrets that only Entra can judge, with an Entra that answers when the test says so.
import t from 'tap'
import { createEntraSecrets } from '../../src/gateway/entra-secrets.ts'
import { DirectoryError, VaultError } from '../../src/registration/ports.ts'
import { someGatewayClient } from '../support/records.ts'

const client = someGatewayClient({ isAdopted: true })

function started (isWithin: boolean) {
  const clock = { nowMs: 1_000, monotonicMs: () => clock.nowMs }
  const asked: Array<{ secret: string, answer: (isGood: boolean) => void, fail: (error: Error) => void }> = []
  const peppers = { active: 'one', known: ['one'] }
  const digest = (pepperId: string, secret: string) => Buffer.from(`${pepperId} ${secret}`)
  const entra = createEntraSecrets({
    probe: async (_providerId, _clientId, secret) => await new Promise((resolve, reject) => asked.push({ secret, answer: resolve, fail: reject })),
    vault: {
      verifierOf: (_clientId, secret) => ({ pepperId: peppers.active, digest: digest(peppers.active, secret) }),
      isSecretOf (_clientId, secret, verifier) {
        if (!peppers.known.includes(verifier.pepperId)) throw new VaultError(`Pepper ${verifier.pepperId} is not in the keyring.`)
        return digest(verifier.pepperId, secret).equals(verifier.digest)
      }
    },
    failures: { isWithin: () => isWithin },
    clock
  })
  return { entra, clock, asked, peppers }
}

t.test('beyond the allowance, too, whoever comes with the secret that is being tried waits for its answer', async t => {
  const { entra, asked } = started(false)
  const answers = Promise.all(Array.from({ length: 3 }, async () => await entra.accepts(client, 'right')))
  asked[0]?.answer(true)
  t.strictSame(await answers, [true, true, true])
  t.equal(asked.length, 1)
})

t.test('a secret that was let in is asked about anew when its digest is under a pepper that was taken out of the keyring', async t => {
  const { entra, asked, peppers } = started(true)
  const first = entra.accepts(client, 'right')
  asked[0]?.answer(true)
  t.equal(await first, true)
  Object.assign(peppers, { active: 'two', known: ['two'] })
  const again = entra.accepts(client, 'right')
  asked[1]?.answer(true)
  t.equal(await again, true)
})

t.test('while Entra does not answer nothing is said of a client, also beyond the allowance, and Entra is asked once a second', async t => {
  const { entra, clock, asked } = started(false)
  const first = entra.accepts(client, 'right')
  asked[0]?.fail(new DirectoryError('unavailable', 'away'))
  await t.rejects(first, DirectoryError)
  await t.rejects(entra.accepts(client, 'right'), DirectoryError)
  t.equal(asked.length, 1)
  clock.nowMs += 1_000
  const third = entra.accepts(client, 'wrong')
  asked[1]?.answer(false)
  t.equal(await third, false)
  t.equal(await entra.accepts(client, 'another'), false, 'it answers again')
})
