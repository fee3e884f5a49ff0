// The mutations under test/mutations: one realistic mistake each, as a patch whose header names the test that has to notice it.
import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

export const PATCHES = 'test/mutations'

export interface Mutation {
  /** Of the patch's file, without `.patch`. */
  name: string
  /** Absolute. */
  file: string
  /** The number of the promise it breaks. */
  promise: number
  /** The attack of the threat model that it lets through, as S7; null: none of them. */
  scenario: string | null
  /** The mistake in one sentence. */
  breaks: string
  /** The file of the test that has to turn red. */
  test: string
  /** What the name of that test contains; for a test within others each of their names first. */
  fails: string[]
  /** The files it changes. */
  changed: string[]
}

/** In the order of their names. @throws {Error} for a patch whose header is not whole */
export async function readMutations (folder = PATCHES): Promise<Mutation[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.patch')).sort()
  return await Promise.all(names.map(async name => parse(name.slice(0, -'.patch'.length), resolve(folder, name), await readFile(join(folder, name), 'utf8'))))
}

function parse (name: string, file: string, text: string): Mutation {
  const header = text.slice(0, text.indexOf('\n--- a/') + 1)
  const optional = (title: string): string | null => new RegExp(`^${title}: (.+)$`, 'm').exec(header)?.[1]?.trim() ?? null
  const member = (title: string): string => {
    const value = optional(title)
    if (value === null) throw new Error(`${name}.patch has no line "${title}: …" before its difference.`)
    return value
  }
  const changed = [...text.matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, path = '']) => path)
  const promise = Number(member('Promise'))
  return { name, file, promise, scenario: optional('Scenario'), breaks: member('Breaks'), test: member('Test'), fails: member('Fails').split(' › '), changed }
}

/**
 * Applies a patch to the files under `root`, takes it back, or only looks whether it fits.
 *
 * @returns what git says against it; null: it fits
 * @throws {Error} when git is not installed
 */
export function applyPatch (root: string, { file }: Mutation, ...options: Array<'--check' | '--reverse'>): string | null {
  // Outside a repository git takes the paths as they are; inside another one it would silently skip them.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(root) }
  const { status, stderr, error } = spawnSync('git', ['apply', ...options, file], { cwd: root, env, encoding: 'utf8' })
  if (error !== undefined) throw new Error(`git is needed to apply ${file}: ${error.message}`)
  return status === 0 ? null : stderr.trim()
}
