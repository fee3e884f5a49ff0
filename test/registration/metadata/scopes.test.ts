import t from 'tap'
import { mappingsOf, resourceAccessOf } from '../../../src/registration/metadata/scopes.ts'
import { answering, catalogue, ORDERS_API, ORDERS_READ, ORDERS_WRITE, registering } from './requests.ts'

t.test('known scopes are registered in their order, unknown ones neither registered nor echoed', async t => {
  t.equal(answering({ scope: '  orders.write openid   unknown orders.read openid ' }).scope, 'orders.write openid orders.read')
  t.notOk('scope' in answering({ scope: 'unknown' }), 'nothing known: no member')
  t.notOk('scope' in answering({}), 'nothing asked: nothing frozen')
  t.notOk('scope' in answering({ scope: 'constructor __proto__' }))
})

t.test('a policy takes scopes of the catalogue away, and leaves those of OpenID Connect', async t => {
  t.equal(answering({ scope: 'openid orders.read orders.write' }, { scopes: ['orders.read'] }).scope, 'openid orders.read')
  t.equal(answering({ scope: 'openid profile email offline_access orders.read' }, { scopes: [] }).scope, 'openid profile email offline_access')
})

t.test('a scope of other characters than RFC 6749 allows is refused', async t => {
  for (const scope of ['a\tb', 'a\nb', 'a"b', 'a\\b', 'caf\u00e9', '\u0000']) t.throws(() => registering({ scope }), { code: 'invalid_client_metadata', publicMessage: /^scope/ }, JSON.stringify(scope))
})

t.test('scopes become permissions by resource, the same in whatever order they were asked for', async t => {
  const graph = {
    resourceAppId: '00000003-0000-0000-c000-000000000000',
    permissions: [{ id: '37f7f235-527c-4136-accd-4a02d197296e', type: 'Scope' }, { id: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182', type: 'Scope' }]
  }
  const orders = { resourceAppId: ORDERS_API, permissions: [{ id: ORDERS_WRITE, type: 'Role' }, { id: ORDERS_READ, type: 'Scope' }] }
  for (const scopes of [['openid', 'orders.read', 'offline_access', 'orders.write'], ['orders.write', 'offline_access', 'orders.read', 'openid', 'gone']]) {
    t.strictSame(resourceAccessOf(mappingsOf(scopes, catalogue)), [graph, orders])
  }
  t.equal(resourceAccessOf([]), null)
})
