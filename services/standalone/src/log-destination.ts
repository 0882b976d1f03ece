import type { Writable } from 'node:stream';
import { renderLogLine } from './log-text';

/** What a logger writes to. */
export interface LogDestination {
  write(line: string): void;
}

/** Writes the log to `stream` as --log-format says; without a wish, text where people read it and JSON elsewhere. */
export function logDestination(format: string, stream: Writable & { readonly isTTY?: boolean }): LogDestination {
  const text = format === 'text' || (format !== 'json' && stream.isTTY === true);
  return { write: (line) => void stream.write(text ? `${renderLogLine(line)}\n` : line) };
}
