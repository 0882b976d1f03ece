/**
 * A floating-point score as C's "%f" writes it: six decimals, exact ties to even. JavaScript's toFixed differs in
 * three ways: it rounds ties away from zero, writes large numbers with an exponent, and knows no negative zero.
 */
export function scoreText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size >= 1e21) return `${sign}${BigInt(size)}.000000`;
  return sign + (tieText(size) ?? size.toFixed(6));
}

/**
 * The text of a number exactly half-way between two of six decimals; undefined for all others. As 10^6 is 2^6 · 5^6,
 * a binary fraction is such a half only if it is an odd multiple of 1/128; in units of 10^-6 that is k · 7812.5.
 */
function tieText(size: number): string | undefined {
  const k = size * 128;
  if (!Number.isInteger(k) || k % 2 === 0) return undefined;
  const twice = BigInt(k) * 15625n;
  const below = (twice - 1n) / 2n;
  const digits = (below % 2n === 0n ? below : below + 1n).toString().padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
