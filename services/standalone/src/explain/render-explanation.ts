import {
  type ExplainedOutput,
  type Explanation,
  type Rank,
  columnsOf,
  facts,
  figure,
  finite,
  outputTitle,
  ranked,
  shortened,
  signed,
} from '@shoal/report';
import { printable } from '../printable';

export interface TerminalStyle {
  readonly color: boolean;
  /** Of a line, in characters. */
  readonly columns: number;
}

/** Lines for features; what is beyond is summed. */
const most = 24;

const nameColumns = 32;
const valueColumns = 12;

// Orange and blue of the 256 colours, as in the pictures.
const colors = {
  up: '\u001b[38;5;208m',
  down: '\u001b[38;5;39m',
  dim: '\u001b[2m',
  bold: '\u001b[1m',
  end: '\u001b[0m',
};

/** An explanation for people at a terminal: what each feature adds to each output, and what that is worth. */
export function renderExplanation(explanation: Explanation, style: TerminalStyle): string {
  const blocks = explanation.outputs.map((output) => renderOutput(explanation, output, style));
  const pairs = facts(explanation).map(([name, text]) => `${paint(name.padEnd(12), 'dim', style)}${clean(text)}`);
  const warnings = explanation.warnings.map((text) => `${paint('warning', 'bold', style)}     ${clean(text)}`);
  return [...blocks, [...pairs, ...warnings].join('\n')].join('\n\n');
}

function renderOutput({ features }: Explanation, output: ExplainedOutput, style: TerminalStyle): string {
  const ranks = ranked(features, output, most);
  const names = ranks.map(({ name }) => shortened(clean(name), nameColumns));
  const shown = ranks.map((rank) => shortened(clean(rank.shown), valueColumns));
  const numbers = ranks.map(({ value }) => ascii(signed(value)));
  const errors = ranks.map(({ error }) => (error === undefined ? '' : `± ${ascii(figure(error, 2))}`));
  const [nameWidth, shownWidth, numberWidth, errorWidth] = [names, shown, numbers, errors].map(widest) as [
    number,
    number,
    number,
    number,
  ];
  const largest = ranks.reduce((top, { value }) => Math.max(top, Math.abs(finite(value))), 0);
  const fixed = nameWidth + shownWidth + numberWidth + errorWidth + 8;
  // Half of the bars' columns: one side of zero.
  const half = Math.max(6, Math.min(24, Math.floor((style.columns - fixed - 1) / 2)));
  const lines = ranks.map((rank, i) => {
    const kind = rank.value < 0 ? 'down' : 'up';
    const left = `${padded(names[i] as string, nameWidth)}  ${padded(shown[i] as string, shownWidth)}  `;
    const number = paint((numbers[i] as string).padStart(numberWidth), kind, style);
    return `${left}${bar(rank, largest, half, style)}  ${number}  ${errors[i]}`.trimEnd();
  });
  const sums = `base ${ascii(figure(output.baseValue))}, output ${ascii(figure(output.outputValue))}, additivity gap ${ascii(figure(output.additivityGap))}`;
  return [paint(clean(outputTitle(output)), 'bold', style), paint(sums, 'dim', style), ...lines].join('\n');
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** Both sides of zero; to the right in eighths of a character, to the left, for which there are none, in halves. */
function bar({ value }: Rank, largest: number, half: number, style: TerminalStyle): string {
  const length = largest === 0 ? 0 : (Math.abs(finite(value)) / largest) * half;
  if (value < 0) {
    const halves = Math.round(length * 2);
    const drawn = `${halves % 2 === 1 ? '▐' : ''}${'█'.repeat(Math.floor(halves / 2))}`;
    return `${' '.repeat(half - drawn.length)}${paint(drawn, 'down', style)}│${' '.repeat(half)}`;
  }
  const parts = Math.round(length * 8);
  const drawn = `${'█'.repeat(Math.floor(parts / 8))}${eighths[parts % 8]}`;
  return `${' '.repeat(half)}│${paint(drawn, 'up', style)}${' '.repeat(half - drawn.length)}`;
}

function paint(text: string, kind: 'up' | 'down' | 'dim' | 'bold', { color }: TerminalStyle): string {
  return color && text !== '' ? `${colors[kind]}${text}${colors.end}` : text;
}

/** Names come from anybody: nothing in them acts on the terminal, and each is one line. */
function clean(text: string): string {
  return printable(text).replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** So that a number can be copied into a program. */
function ascii(number: string): string {
  return number.replaceAll('−', '-');
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most_, text) => Math.max(most_, columnsOf(text)), 0);
}

function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}
