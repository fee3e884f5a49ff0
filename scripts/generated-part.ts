// A part of a page that a script writes, between two comments.
import { readFile, writeFile } from 'node:fs/promises'

/** The part as it stands in the page. Throws when the page has lost its comments. */
export async function readGeneratedPart (path: string, name: string): Promise<string> {
  const { part } = await splitPage(path, name)
  return part
}

export async function writeGeneratedPart (path: string, name: string, part: string): Promise<void> {
  const { before, after } = await splitPage(path, name)
  await writeFile(path, `${before}${part}${after}`)
}

async function splitPage (path: string, name: string): Promise<{ before: string, part: string, after: string }> {
  const page = await readFile(path, 'utf8')
  const pattern = new RegExp(`^([\\s\\S]*<!-- ${name}: [^\\n]* -->\\n)([\\s\\S]*)(\\n<!-- end of ${name} -->[\\s\\S]*)$`)
  const [, before, part, after] = pattern.exec(page) ?? []
  if (before === undefined || part === undefined || after === undefined) throw new Error(`${path} has lost the comments around its ${name}.`)
  return { before, part, after }
}
