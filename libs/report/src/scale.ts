/** Where values lie on a line of pixels. */
export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** @param values all that must lie on it */
export function scaleOver(values: readonly number[], from: number, to: number): Scale {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!(high - low > Math.abs(high) * 1e-12)) {
    const room = Math.abs(high) || 1;
    low -= room;
    high += room;
  }
  const step = niceStep((high - low) / 5);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  // Whole multiples, so that no tick reads 0.30000000000000004; adding 0 turns −0 into 0.
  const ticks = Array.from({ length: Math.max(0, Math.min(count, 20)) }, (_, i) => (first + i) * step + 0);
  return { at: (value) => from + ((value - low) / (high - low)) * (to - from), ticks };
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5].find((one) => one * power >= least) ?? 10;
  return factor * power;
}
