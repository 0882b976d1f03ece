import { ShoalError } from '@shoal/core';

/** More levels than anybody waits for. */
const maxLevels = 1000;

/**
 * The levels of a range as perf_analyzer writes it: `START`, `START:END` or `START:END:STEP` (end included), or a list
 * of values with commas. Values are positive, integers where `whole` says so.
 * @throws ShoalError INVALID_ARGUMENT that names `flag`.
 */
export function parseRange(flag: string, text: string, whole: boolean): number[] {
  const refuse = (why: string) => new ShoalError('INVALID_ARGUMENT', `--${flag}=${text}: ${why}`);
  const numbers = (parts: readonly string[]) =>
    parts.map((part) => {
      const value = part.trim() === '' ? Number.NaN : Number(part);
      const fits = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!fits || value <= 0) {
        throw refuse(`expected START:END:STEP or A,B,C with ${whole ? 'positive integers' : 'positive numbers'}`);
      }
      return value;
    });
  if (text.includes(',')) return numbers(text.split(','));
  const parts = numbers(text.split(':'));
  const [start = 1, end = start, step = 1] = parts;
  if (parts.length > 3) throw refuse('expected at most START:END:STEP');
  if (end < start) throw refuse('its end lies before its start');
  const count = Math.floor((end - start) / step + 1e-9) + 1;
  if (count > maxLevels) throw refuse(`these are ${count} levels; at most ${maxLevels} are run`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
