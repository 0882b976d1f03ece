/** Reference answers straight from the definitions, slow and written apart from the package. Values are indexed by bit set. */

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

function size(bits: number): number {
  return bits.toString(2).replaceAll('0', '').length;
}

/** All orders of the players in which the members of a group follow each other. Without groups: all orders. */
function orders(players: readonly number[], groups?: readonly (readonly number[])[]): number[][] {
  if (groups !== undefined) {
    const inner = groups.map((group) => orders(group));
    return orders(groups.map((_, g) => g)).flatMap((order) =>
      order.reduce<number[][]>(
        (heads, g) => heads.flatMap((head) => (inner[g] ?? []).map((tail) => [...head, ...tail])),
        [[]],
      ),
    );
  }
  if (players.length === 0) return [[]];
  return players.flatMap((p) => orders(players.filter((q) => q !== p)).map((rest) => [p, ...rest]));
}

/** Mean marginal contribution over all orders: Shapley values, or Owen values with groups. */
export function shapleyByOrders(n: number, v: readonly number[], groups?: readonly (readonly number[])[]): number[] {
  const values = Array.from({ length: n }, () => 0);
  const all = orders([...values.keys()], groups);
  for (const order of all) {
    let set = 0;
    for (const p of order) {
      const joined = set | (1 << p);
      values[p] = (values[p] as number) + ((v[joined] as number) - (v[set] as number)) / all.length;
      set = joined;
    }
  }
  return values;
}

/** Mean marginal contribution over all coalitions. */
export function banzhafByDefinition(n: number, v: readonly number[]): number[] {
  return Array.from({ length: n }, (_, p) => {
    let sum = 0;
    for (let set = 0; set < 2 ** n; set++)
      if ((set & (1 << p)) === 0) sum += (v[set | (1 << p)] as number) - (v[set] as number);
    return sum / 2 ** (n - 1);
  });
}

/** Pairwise interactions, [n × n]: Shapley's (`taylor` false) or Shapley-Taylor's of order 2. */
export function pairsByDefinition(n: number, v: readonly number[], taylor: boolean): number[] {
  const matrix = Array.from({ length: n * n }, () => 0);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let set = 0; set < 2 ** n; set++) {
        if (i === j || (set & ((1 << i) | (1 << j))) !== 0) continue;
        const t = size(set);
        const weight = taylor
          ? (2 / n) * ((factorial(t) * factorial(n - 1 - t)) / factorial(n - 1))
          : (factorial(t) * factorial(n - t - 2)) / factorial(n - 1);
        const [a, b] = [1 << i, 1 << j];
        const second =
          (v[set | a | b] as number) - (v[set | a] as number) - (v[set | b] as number) + (v[set] as number);
        matrix[i * n + j] = (matrix[i * n + j] as number) + weight * second;
      }
  return matrix;
}
