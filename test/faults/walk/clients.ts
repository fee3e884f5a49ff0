// The clients of a walk, as those who own them know them: what they hold, and what may have become of it.

export interface WalkClient {
  surface: 'konnect' | 'register'
  clientId: string
  name: string
  /** /register: the registration access token of the newest answer, and its address. */
  token: string
  path: string
  /** Konnect: ids of secrets that were added. */
  secretIds: string[]
  /** Somebody works with it. */
  isTaken: boolean
  /** An operator has ever asked to switch it off. */
  mayBeDisabled: boolean
  /** Its end was asked for. */
  mayBeDeleted: boolean
}

export class WalkClients {
  readonly #clients: WalkClient[] = []

  add (client: Pick<WalkClient, 'surface' | 'clientId' | 'name'> & Partial<WalkClient>): void {
    this.#clients.push({ token: '', path: '', secretIds: [], isTaken: false, mayBeDisabled: false, mayBeDeleted: false, ...client })
  }

  /** Those that somebody could do something with now. A few of the deleted ones are asked for again. */
  choosable (surface?: WalkClient['surface']): WalkClient[] {
    return this.#clients.filter(client => !client.isTaken && (surface === undefined || client.surface === surface))
      .filter((client, index, all) => !client.mayBeDeleted || index > all.length - 10)
  }
}
