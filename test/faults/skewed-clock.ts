// Loaded before the broker: its clock is wrong by CLOCK_IS_WRONG_BY_MS, as on a machine that nobody sets. The monotonic one goes on as ever.
const wrongByMs = Number(process.env['CLOCK_IS_WRONG_BY_MS'])
if (!Number.isFinite(wrongByMs)) throw new Error('CLOCK_IS_WRONG_BY_MS is not a number of milliseconds')

const TrueDate = Date
const now = (): number => TrueDate.now() + wrongByMs

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
  apply: () => new TrueDate(now()).toString(),
  get: (target, name) => name === 'now' ? now : Reflect.get(target, name) as unknown
})
