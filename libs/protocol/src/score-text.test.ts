import * as fc from 'fast-check';
import { scoreText } from './score-text';

/** The exact value of a finite double as numerator / 2^power. */
function exact(value: number): { numerator: bigint; power: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n);
  const power = 1075 - Math.max(exponent, 1);
  return power >= 0
    ? { numerator: mantissa, power: BigInt(power) }
    : { numerator: mantissa << BigInt(-power), power: 0n };
}

/** "%.6f" by definition: the nearest multiple of 10^-6, ties to the even one. */
function reference(value: number): string {
  const { numerator, power } = exact(value);
  const scaled = numerator * 1000000n;
  const whole = scaled >> power;
  const rest = scaled - (whole << power);
  const half = power === 0n ? 0n : 1n << (power - 1n);
  const up = power > 0n && (rest > half || (rest === half && whole % 2n === 1n));
  const digits = (up ? whole + 1n : whole).toString().padStart(7, '0');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return `${sign}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

test('every finite double as the definition says', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const modest = fc.double({ noNaN: true, min: -100, max: 100 });
  const halves = fc.integer().map((k) => k / 128);
  fc.assert(
    fc.property(fc.oneof(finite, modest, halves), (value) => {
      expect(scoreText(value)).toBe(reference(value));
    }),
    { numRuns: 3000, examples: [[0.0078125], [-0.0234375], [1e21], [2 ** 53 + 2], [-0], [5e-324]] },
  );
});

test('what C prints for the values that are no numbers', () => {
  expect([NaN, Infinity, -Infinity].map(scoreText)).toEqual(['nan', 'inf', '-inf']);
});
