// What an update takes away in Entra, and what it leaves alone.
import t from 'tap'
import { clearing } from '../../src/registration/clearing.ts'
import { someProjection } from '../support/records.ts'

const access = (resourceAppId: string, ...ids: string[]) => ({ resourceAppId, permissions: ids.map(id => ({ id, type: 'Scope' as const })) })

t.test('what the broker never set stays untouched, what it once set is emptied', async t => {
  const plain = someProjection()
  t.strictSame(clearing(plain, plain), plain)
  const rich = someProjection({
    homePageUrl: 'https://a.example/', isFallbackPublicClient: true, requiredResourceAccess: [access('r', 'p')], certificates: [], federatedIdentities: []
  })
  const cleared = { homePageUrl: '', termsOfServiceUrl: null, isFallbackPublicClient: false, requiredResourceAccess: [], certificates: [], federatedIdentities: [] }
  t.match(clearing(rich, plain), cleared)
  t.match(clearing(clearing(rich, plain), plain), cleared, 'and stays so')
  t.strictSame(clearing(plain, rich), rich)
})

t.test('a grant that is no longer wanted is taken back, until it is wanted again', async t => {
  const first = someProjection({ grants: { granted: [access('r', 'a', 'b'), access('s', 'c')], revoked: [] } })
  const second = clearing(first, someProjection({ grants: { granted: [access('r', 'a')], revoked: [] } }))
  t.strictSame(second.grants, { granted: [access('r', 'a')], revoked: [access('r', 'b'), access('s', 'c')] })
  const third = clearing(second, someProjection())
  t.strictSame(third.grants, { granted: [], revoked: [access('r', 'a', 'b'), access('s', 'c')] })
  t.strictSame(clearing(third, first).grants, first.grants)
})
