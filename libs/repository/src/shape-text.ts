/** A shape as Triton prints it: `[-1,16]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
