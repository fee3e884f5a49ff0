// Measures a production install (npm run footprint): packages, size, and the programs in it. Exit code 1 when there is one that only builds.
import { execFileSync } from 'node:child_process'
import { cp, lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDockerfile } from './dockerfile.ts'
import { toolsAmong } from './production-programs.ts'

const folder = await mkdtemp(join(tmpdir(), 'dcr-footprint-'))
try {
  for (const file of ['package.json', 'package-lock.json']) await cp(file, join(folder, file))
  const install = await imageInstall()
  execFileSync('npm', [...install.split(' ').slice(1), '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const modules = join(folder, 'node_modules')
  const installed = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8')) as { packages: object }
  const programs = await readdir(join(modules, '.bin')).catch(() => [])
  const tools = toolsAmong(programs)
  console.log(`${install}: ${Object.keys(installed.packages).length} packages, ${(await sizeOf(modules) / 2 ** 20).toFixed(1)} MiB.`)
  console.log(`Programs in it: ${programs.join(', ') || 'none'}.`)
  if (tools.length > 0) {
    console.error(`These only build: ${tools.join(', ')}.`)
    process.exitCode = 1
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** As the Dockerfile installs what the image runs. */
async function imageInstall (): Promise<string> {
  const stage = parseDockerfile(await readFile('Dockerfile', 'utf8')).find(({ name }) => name === 'dependencies')
  const step = stage?.steps.find(({ name, text }) => name === 'RUN' && text.startsWith('npm ci'))
  if (step === undefined) throw new Error('The Dockerfile has no stage "dependencies" that runs npm ci.')
  return step.text
}

/** Bytes of the files in it. */
async function sizeOf (path: string): Promise<number> {
  const stats = await lstat(path)
  if (!stats.isDirectory()) return stats.size
  const sizes = await Promise.all((await readdir(path)).map(async name => await sizeOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}
