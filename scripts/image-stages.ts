// Follows a Dockerfile's stages in plain folders: each stage is an empty folder that stands for the image's root.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, stat } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { parseCommand, parseEnvironment, type Instruction, type Stage } from './dockerfile.ts'

/** A stage that was followed to its end. */
export interface BuiltStage {
  /** The folder that stands for `/`. */
  root: string
  /** The working directory inside it, such as `/app`. */
  workdir: string
  environment: Record<string, string>
  user: string | undefined
  command: string[]
  healthcheck: string[]
}

/** What the stages are built from. */
export interface Build {
  /** The build context: the project's folder, and which of its paths may be read. */
  context: string
  isAllowed: (path: string) => boolean
  /** An empty folder for the stages. */
  folder: string
  /** PATH of the base image's programs. */
  path: string
}

/** Builds the stages in their order. @throws {Error} at the first step that fails or cannot be followed */
export async function buildStages (stages: Stage[], build: Build): Promise<BuiltStage> {
  const built = new Map<string, BuiltStage>()
  for (const { name, base, steps } of stages) {
    if (base !== stages[0]?.base) throw new Error(`The checker cannot follow FROM ${base}: all stages begin with one image.`)
    const root = join(build.folder, name)
    await mkdir(root)
    const stage: BuiltStage = { root, workdir: '/', environment: {}, user: undefined, command: [], healthcheck: [] }
    built.set(name, stage)
    for (const step of steps) {
      console.log(`[${name}] ${step.name} ${step.text}`)
      await follow(step, stage, built, build)
    }
  }
  const last = [...built.values()].at(-1)
  if (last === undefined) throw new Error('The Dockerfile has no stage.')
  return last
}

async function follow ({ name, text }: Instruction, stage: BuiltStage, built: Map<string, BuiltStage>, build: Build): Promise<void> {
  switch (name) {
    case 'WORKDIR':
      stage.workdir = posix.resolve(stage.workdir, text)
      await mkdir(join(stage.root, stage.workdir), { recursive: true })
      break
    case 'ENV':
      Object.assign(stage.environment, parseEnvironment(text))
      break
    case 'COPY':
      await copy(text, stage, built, build)
      break
    case 'RUN':
      await run(text, stage, build)
      break
    case 'USER':
      stage.user = text
      break
    case 'CMD':
      stage.command = parseCommand(text)
      break
    case 'HEALTHCHECK':
      stage.healthcheck = parseCommand(text)
      break
    case 'EXPOSE': // says something, does nothing
  }
}

/** A folder's content is copied, not the folder, as Docker does it. */
async function copy (text: string, stage: BuiltStage, built: Map<string, BuiltStage>, build: Build): Promise<void> {
  const words = text.split(/\s+/)
  const from = words[0]?.startsWith('--') ? words.shift() : undefined
  const target = words.pop() ?? ''
  const origin = from === undefined ? undefined : built.get(from.replace('--from=', ''))
  if (from !== undefined && origin === undefined) throw new Error(`The checker cannot follow COPY ${text}`)
  const destination = join(stage.root, posix.resolve(stage.workdir, target))
  for (const word of words) {
    const source = join(origin?.root ?? build.context, word)
    const isFolder = (await stat(source)).isDirectory()
    if (origin === undefined && !build.isAllowed(posix.normalize(word))) throw new Error(`.dockerignore keeps ${word} out of the build context.`)
    const path = !isFolder && (target.endsWith('/') || words.length > 1) ? join(destination, basename(word)) : destination
    const filter = (file: string) => origin !== undefined || build.isAllowed(file.slice(build.context.length + 1))
    await cp(source, path, { recursive: true, verbatimSymlinks: true, filter })
  }
}

/** Only npm's own settings come from outside, as build arguments would: nothing of this machine may leak into a step. */
async function run (command: string, stage: BuiltStage, build: Build): Promise<void> {
  const outside = Object.entries(process.env).filter(([name]) =>
    /^(HOME|npm_config_(registry|cache|userconfig)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/i.test(name))
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: join(stage.root, stage.workdir),
    env: { ...Object.fromEntries(outside), ...stage.environment, PATH: build.path },
    stdio: ['ignore', 'inherit', 'inherit']
  })
  const [code, signal] = await once(child, 'close') as [number | null, string | null]
  if (code !== 0) throw new Error(`RUN ${command} ended with ${code ?? signal}`)
}

/** Takes the right to write from everything: the program must not need it. */
export async function makeReadOnly (folder: string): Promise<void> {
  await once(spawn('chmod', ['-R', 'a-w', folder], { stdio: 'inherit' }), 'close')
}

/** Gives it back, so that the folder can be removed. */
export async function makeWritable (folder: string): Promise<void> {
  await once(spawn('chmod', ['-R', 'u+w', folder], { stdio: 'inherit' }), 'close')
  await chmod(folder, 0o755)
}
