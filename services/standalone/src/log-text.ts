import { printable } from './printable';

/** pino's level numbers by name. */
const levels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR' };

/** Turns a line of the log, which is JSON, into one for people: time, level, service, message, fields. */
export function renderLogLine(json: string): string {
  const { level, time, service, msg, ...fields } = JSON.parse(json) as Readonly<
    Record<string, string | number | boolean>
  >;
  const head = `${String(time)} ${(levels[Number(level)] ?? String(level)).padEnd(5)} ${String(service ?? 'shoal')}: ${String(msg)}`;
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return printable([head, ...facts].join('  '));
}
