// Reads a Dockerfile of the simple kind that ours is: stages of FROM, COPY, RUN, ENV, WORKDIR, USER, and the last CMD and HEALTHCHECK.
// What it does not know it refuses, so that a step is never left out unnoticed.

/** One instruction with its arguments as written. */
export interface Instruction {
  name: string
  text: string
}

/** One stage of the build. */
export interface Stage {
  /** The name after AS, or the stage's number. */
  name: string
  /** The base image, such as `node:24-slim`. */
  base: string
  steps: Instruction[]
}

const known = new Set(['FROM', 'COPY', 'RUN', 'ENV', 'WORKDIR', 'USER', 'EXPOSE', 'HEALTHCHECK', 'CMD'])

/** @throws {Error} at an instruction that the checker cannot follow */
export function parseDockerfile (text: string): Stage[] {
  const stages: Stage[] = []
  for (const { name, text: argument } of instructions(text)) {
    if (!known.has(name)) throw new Error(`The checker cannot follow ${name} ${argument}`)
    if (name === 'FROM') {
      const [base = '', , alias] = argument.split(/\s+/)
      stages.push({ name: alias ?? String(stages.length), base, steps: [] })
      continue
    }
    const stage = stages.at(-1)
    if (stage === undefined) throw new Error(`${name} stands before the first FROM`)
    stage.steps.push({ name, text: argument })
  }
  return stages
}

function instructions (text: string): Instruction[] {
  return text
    .split('\n').filter(line => !/^\s*(#|$)/.test(line)).join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map(line => {
      const [, name = '', text = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? []
      return { name: name.toUpperCase(), text }
    })
}

/** `A=1 B=2` as an object (values without blanks, which is all we use). */
export function parseEnvironment (text: string): Record<string, string> {
  return Object.fromEntries(text.split(/\s+/).map(pair => {
    const [name = '', value] = pair.split('=', 2)
    if (value === undefined || /["'$\\]/.test(value)) throw new Error(`The checker cannot follow ENV ${text}`)
    return [name, value]
  }))
}

/** The JSON form of CMD and HEALTHCHECK CMD, which starts the program without a shell. */
export function parseCommand (text: string): string[] {
  return JSON.parse(text.replace(/^(--\S+\s+)*(CMD\s+)?/, '')) as string[]
}

/** Which paths of the build context an image may read: `!name` allows what `*` forbids, a later plain path forbids again. */
export function parseDockerignore (text: string): (path: string) => boolean {
  const rules = text.split('\n').map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'))
  return path => {
    let allowed = true
    for (const rule of rules) {
      const pattern = rule.replace(/^!/, '')
      if (pattern.includes('*') && pattern !== '*') throw new Error(`The checker cannot follow ${rule} in .dockerignore`)
      if (pattern === '*' || path === pattern || path.startsWith(`${pattern}/`)) allowed = rule.startsWith('!')
    }
    return allowed
  }
}
