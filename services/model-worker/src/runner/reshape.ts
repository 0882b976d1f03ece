/**
 * Turns a concrete shape that matches the pattern `from` into the one that `to` stands for: a config's `reshape`. The
 * −1s of `to` take, in order, the sizes that stood at the −1s of `from`; where both patterns are the same the shape
 * stays as it is. Shapes are without the batch dimension. Undefined when `dims` does not match `from`.
 */
export function reshapeDims(
  dims: readonly number[],
  from: readonly number[],
  to: readonly number[],
): readonly number[] | undefined {
  if (dims.length !== from.length) return undefined;
  const open: number[] = [];
  for (let i = 0; i < dims.length; i += 1) {
    if (from[i] === -1) open.push(dims[i] as number);
    else if (from[i] !== dims[i]) return undefined;
  }
  if (from === to) return dims;
  let taken = 0;
  return to.map((size) => (size === -1 ? (open[taken++] ?? 1) : size));
}
