// The project's programs as processes. The runner compiles everything first, because loading TypeScript costs each process a second;
// one test file started by itself (npx tap test/...) runs the sources.
import { extname, resolve } from 'node:path'

const isCompiled = extname(import.meta.url) === '.js'

/** Where the sources, or the compiled sources, lie; a folder with src, test and scripts in it. */
export const sourceRoot = resolve(isCompiled ? 'dist-test' : '.')
/** Of this process's modules. */
export const moduleExtension = isCompiled ? '.js' : '.ts'
/** What Node.js needs to load them. WebAssembly is not optimised (.taprc says why). */
export const loaderArguments: readonly string[] = ['--liftoff-only', ...isCompiled ? [] : ['--import=tsx']]

/** Arguments of Node.js that run a program, named without its extension: `src/main`. `preload` names modules that are loaded before it. */
export function programArguments (program: string, preload: readonly string[] = []): string[] {
  return [...loaderArguments, ...preload.map(module => `--import=${modulePath(module)}`), modulePath(program)]
}

export function modulePath (module: string): string {
  return resolve(sourceRoot, `${module}${moduleExtension}`)
}
