// Compiles the files that a mutation changes, and checks their types: what the compiler finds by itself needs no test.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

export interface MutationCompiler {
  /** What the compiler has against the files as they are now, given under the root; empty: nothing. */
  faultsOf (files: readonly string[]): string[]
  /** Writes the compiled files. */
  emit (files: readonly string[]): void
}

/** @param root a copy of the project; what was compiled lies in its `dist-test` */
export function createMutationCompiler (root: string): MutationCompiler {
  const config = ts.readConfigFile(join(root, 'tsconfig.test.json'), path => readFileSync(path, 'utf8'))
  const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const options = { ...parsed.options, noCheck: false }
  // All of them: what one declares of a framework's types counts in the others.
  const sources = parsed.fileNames.filter(file => file.startsWith(join(root, 'src')))
  const versions = new Map<string, number>()
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => sources,
    getScriptVersion: path => String(versions.get(path) ?? 0),
    getScriptSnapshot: path => ts.sys.fileExists(path) ? ts.ScriptSnapshot.fromString(readFileSync(path, 'utf8')) : undefined,
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories
  })
  const refresh = (paths: readonly string[]): void => { for (const path of paths) versions.set(path, (versions.get(path) ?? 0) + 1) }

  return {
    faultsOf (changed) {
      const paths = changed.map(file => join(root, file))
      refresh(paths)
      return paths.flatMap(path => [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)])
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
    },
    emit (changed) {
      const paths = changed.map(file => join(root, file))
      refresh(paths)
      for (const path of paths) {
        for (const { name, text } of service.getEmitOutput(path).outputFiles) writeFileSync(name, text)
      }
    }
  }
}
