// Ids that go beside the calls.
import t from 'tap'
import { createCorrelation } from '../src/telemetry/correlation.ts'

t.test('ids are carried past whatever is waited for, and nothing is when nobody reads them', async t => {
  let isRead = true
  const { within, current } = createCorrelation(() => isRead)
  const ids = { registrationId: 'a', requestId: 'b' }
  const found = async () => {
    await new Promise(resolve => setImmediate(resolve))
    return current()
  }
  t.equal(await within(ids, found), ids)
  t.equal(await found(), null)
  isRead = false
  t.equal(await within(ids, found), null)
})
