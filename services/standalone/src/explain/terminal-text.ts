import { columnsOf } from '@shoal/report';
import { printable } from '../printable';

export interface TerminalStyle {
  readonly color: boolean;
  /** Of a line, in characters. */
  readonly columns: number;
}

// Orange and blue of the 256 colours, as in the pictures.
const colors = {
  up: '\u001b[38;5;208m',
  down: '\u001b[38;5;39m',
  dim: '\u001b[2m',
  bold: '\u001b[1m',
  end: '\u001b[0m',
};

export function paint(text: string, kind: 'up' | 'down' | 'dim' | 'bold', { color }: TerminalStyle): string {
  return color && text !== '' ? `${colors[kind]}${text}${colors.end}` : text;
}

/** Names come from anybody: nothing in them acts on the terminal, and each is one line. */
export function clean(text: string): string {
  return printable(text).replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** So that a number can be copied into a program. */
export function ascii(number: string): string {
  return number.replaceAll('−', '-');
}

export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}
