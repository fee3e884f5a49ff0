// The reference of all commands as Markdown, for docs/cli.md.
import { exitCodes } from './command.ts'
import { commands } from './commands.ts'

/** A section for each command, in the order of the help, and the table of exit codes. */
export function cliReference (): string {
  const sections = Object.entries(commands).map(([name, { usage, about, options }]) => {
    const rows = Object.entries(options).map(([option, { type, about }]) => `| \`--${option}${type === 'string' ? ' <…>' : ''}\` | ${cell(about)} |`)
    return [`### ${name}`, '', `    dcr-broker ${usage}`, '', about, ...(rows.length === 0 ? [] : ['', '| option | |', '|---|---|', ...rows])].join('\n')
  })
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `| ${code} | ${cell(meaning)} |`)
  return [...sections, ['### Exit codes', '', '| code | |', '|---|---|', ...codes].join('\n')].join('\n\n')
}

function cell (text: string): string {
  return text.replaceAll('|', '\\|')
}
