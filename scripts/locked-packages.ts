// What package-lock.json says of each package: what is installed in production, and what nothing but its author vouches for.

export interface LockedPackage {
  /** Its folder: `node_modules/pg-types/node_modules/postgres-array`. */
  path: string
  name: string
  version: string
  /** `sha512-…`; undefined: nothing checks what is installed. */
  integrity: string | undefined
  /** Where it comes from; undefined: the registry that npm is set to. */
  resolved: string | undefined
  license: string | undefined
  dependencies: string[]
  /** npm ci --omit=dev --omit=optional, as the image does it, installs it. */
  isInProduction: boolean
}

interface Entry {
  version?: string
  integrity?: string
  resolved?: string
  license?: string
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  dev?: boolean
  devOptional?: boolean
  optional?: boolean
}

export interface Lockfile {
  version: string
  name: string
  packages: Record<string, Entry>
}

export function lockedPackages ({ packages }: Lockfile): LockedPackage[] {
  return Object.entries(packages).filter(([path]) => path !== '').map(([path, entry]) => ({
    path,
    name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version: entry.version ?? '',
    integrity: entry.integrity,
    resolved: entry.resolved,
    license: entry.license,
    dependencies: Object.keys({ ...entry.dependencies, ...entry.peerDependencies }),
    isInProduction: entry.dev !== true && entry.devOptional !== true && entry.optional !== true
  }))
}

/** As Node.js looks for it: in the folder itself, then in each one around it. */
export function resolved (name: string, from: string, byPath: ReadonlyMap<string, LockedPackage>): LockedPackage | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const found = byPath.get(`${folder === '' ? '' : `${folder}/`}node_modules/${name}`)
    if (found !== undefined || folder === '') return found
  }
}
