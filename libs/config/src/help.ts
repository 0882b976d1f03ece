import type { Flag, FlagTable } from './flag';
import { environmentName } from './parse-flags';

/** A headed group of flags in the help. */
export interface HelpSection {
  readonly title: string;
  readonly flags: FlagTable;
}

const width = 100;
const indent = 30;

/** The text of --help: an introduction, then each section's flags with defaults and environment names. */
export function renderHelp(introduction: string, sections: readonly HelpSection[]): string {
  const parts = sections.map(({ title, flags }) => [`${title}:`, ...Object.values(flags).map(renderFlag)].join('\n'));
  return `${[introduction.trimEnd(), ...parts].join('\n\n')}\n`;
}

function renderFlag(flag: Flag): string {
  const left = flag.type === 'boolean' ? `  --${flag.name}[=${flag.value}]` : `  --${flag.name} ${flag.value}`;
  const lines = wrap(`${flag.help} ${details(flag)}`, width - indent);
  const first = left.length < indent - 1 ? left.padEnd(indent) + (lines.shift() ?? '') : left;
  return [first, ...lines.map((line) => ' '.repeat(indent) + line)].join('\n');
}

function details(flag: Flag): string {
  const facts = [];
  if (flag.type === 'string' && flag.choices !== undefined) facts.push(`one of ${flag.choices.join(', ')}`);
  if (flag.type === 'strings') facts.push('repeatable');
  const standard = flag.type === 'strings' ? flag.default.join(', ') : String(flag.default);
  if (standard !== '') facts.push(`default ${standard}`);
  facts.push(environmentName(flag));
  return `[${facts.join('; ')}]`;
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
