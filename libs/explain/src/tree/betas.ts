/**
 * a!·b!/(a + b + 1)! for a, b from 0 up to `most` − 1, [most × most]: the chance that, in a random order of a + b + 1 players,
 * one of them comes after the a and before the b others.
 */
export function betas(most: number): Float64Array {
  const table = new Float64Array(most * most);
  for (let a = 0; a < most; a += 1) {
    let value = 1 / (a + 1);
    for (let b = 0; b < most; b += 1) {
      table[a * most + b] = value;
      value *= (b + 1) / (a + b + 2);
    }
  }
  return table;
}
