// The use cases of strategies for a command, and which strategy an argument means.
import { createStrategies, type JudgedStrategy, type Strategies } from '../administration/strategies.ts'
import type { Strategy, StrategyStore } from '../administration/strategies-port.ts'
import { createStrategyStore } from '../store/strategy-store.ts'
import { CommandError, type CommandContext } from './command.ts'
import { withDatabase } from './database.ts'
import { table } from './table.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** No installation has more. */
const ALL = 10_000

/** Running brokers see a change within their next look at the database. */
export async function withStrategies<T> (context: CommandContext, work: (strategies: Strategies, store: StrategyStore) => Promise<T>): Promise<T> {
  return await withDatabase(context, async prisma => {
    const store = createStrategyStore(prisma)
    return await work(createStrategies(store, async () => {}), store)
  })
}

/** By provider and name. @param providerName null: of all providers */
export async function allStrategies (store: StrategyStore, providerName: string | null, name?: string): Promise<Strategy[]> {
  const filters = [
    ...(providerName === null ? [] : [{ field: 'providerName', operator: 'in', values: [providerName] } as const]),
    ...(name === undefined ? [] : [{ field: 'name', operator: 'in', values: [name] } as const])
  ]
  const rows = await store.list({ filters, sort: { field: 'name', descending: false }, after: null, skip: 0, limit: ALL }, null)
  return rows.sort((one, other) => one.provider.name < other.provider.name ? -1 : Number(one.provider.name > other.provider.name))
}

/** The id of the strategy with this id or, within the provider, this name. @throws CommandError when there is none or more than one */
export async function strategyId (store: StrategyStore, idOrName: string, providerName: string | null): Promise<string> {
  if (UUID.test(idOrName)) return idOrName
  const found = await allStrategies(store, providerName, idOrName)
  if (found.length > 1) throw new CommandError([`More than one provider has a strategy ${idOrName}. Name it with --provider: ${found.map(({ provider }) => provider.name).join(', ')}.`])
  const [strategy] = found
  if (strategy === undefined) throw new CommandError([`There is no strategy ${idOrName}.`])
  return strategy.id
}

/** @throws CommandError when there is none of this name */
export async function providerId (store: StrategyStore, name: string): Promise<string> {
  const provider = await store.provider({ name })
  if (provider === null) throw new CommandError([`There is no provider ${name}.`])
  return provider.id
}

export function strategyTable (strategies: readonly Strategy[]): string[] {
  return table(['NAME', 'ID', 'PROVIDER', 'DEFAULT', 'TOKENS', 'AUDIENCE', 'KONNECT ID', 'REGISTRATIONS', 'ORIGIN'], strategies.map(strategy => [
    strategy.name, strategy.id, strategy.provider.name, strategy.isDefault ? 'yes' : 'no', `v${strategy.tokenVersion}`, strategy.audience,
    strategy.konnectAuthStrategyId, strategy.registrations, strategy.origin
  ]))
}

/** Doubts go to stderr: what a person should read is not in the way of what a script does. */
export function complainOf ({ warnings }: JudgedStrategy, { complain }: CommandContext): void {
  for (const warning of warnings) complain(`Warning: ${warning}`)
}
