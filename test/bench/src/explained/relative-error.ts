/** The length of the difference between two lists of numbers, as a part of that of `exact`. */
export function relativeError(values: ArrayLike<number>, exact: ArrayLike<number>): number {
  let [difference, length] = [0, 0];
  for (let at = 0; at < exact.length; at++) {
    const value = exact[at] as number;
    difference += (value - (values[at] as number)) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference / length);
}
