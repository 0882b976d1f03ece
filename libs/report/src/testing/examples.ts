import { seededRandom } from '@shoal/core';
import type { ExplainedOutput, Explanation, PictureSubject } from '../explanation';

export interface ExampleOptions {
  readonly features?: number;
  readonly exact?: boolean;
  readonly interactions?: boolean;
  readonly names?: (at: number) => string;
  readonly output?: Partial<ExplainedOutput>;
}

/** An answer as the service gives it; its values add up. */
export function example(options: ExampleOptions = {}): Explanation {
  const { features: count = 12, exact = false, interactions = false, names = (at) => `feature ${at}` } = options;
  const random = seededRandom(7);
  const values = Array.from({ length: count }, () => (random.next() - 0.45) ** 3 * 4);
  const sum = values.reduce((total, value) => total + value, 0);
  const output: ExplainedOutput = {
    output: 'probabilities',
    index: 1,
    label: 'benign',
    values,
    standardErrors: exact ? undefined : values.map((value) => 0.01 + Math.abs(value) * 0.05),
    baseValue: 0.37,
    outputValue: 0.37 + sum,
    additivityGap: 0,
    interactions: interactions ? matrix(count, () => (random.next() - 0.5) ** 3) : undefined,
    ...options.output,
  };
  return {
    ...{ model: 'breast_cancer', version: '1', method: 'permutation', partial: false, exact, converged: true, seed: 0 },
    reason: 'predictions only, more features than can be enumerated',
    features: values.map((_, at) => ({
      ...{ name: names(at), input: 'measurements', elements: 1 },
      value: (at * 1.37).toFixed(2),
    })),
    outputs: [output],
    stopReason: exact ? 'exact' : 'target_error',
    ...{ evaluations: 2048, rows: 204_800, requests: 3200, totalMs: 1234.5 },
    link: { name: 'identity', epsilon: 0, clamped: 0 },
    background: { name: 'patients', sha256: 'ab12'.repeat(16), rows: 100, source: 'file' },
    warnings: [],
    quality: [],
  };
}

/** A grey picture of a disc in 28 × 28 pixels, in 7 × 7 cells. */
export function examplePicture(): { readonly picture: PictureSubject; readonly explanation: Explanation } {
  const [size, cells] = [28, 7];
  const each = <T>(of: (x: number, y: number) => T) =>
    Array.from({ length: size * size }, (_, at) => of(at % size, Math.floor(at / size)));
  const pixels = Uint8Array.from(each((x, y) => (Math.hypot(x - 14, y - 12) < 9 ? 220 - 6 * y : 20)));
  const featureOf = each((x, y) => Math.floor((y * cells) / size) * cells + Math.floor((x * cells) / size));
  const picture: PictureSubject = { height: size, width: size, channels: 1, pixels, featureOf };
  return { picture, explanation: example({ features: cells * cells, names: (at) => `group ${at}` }) };
}

function matrix(count: number, draw: () => number): number[] {
  const out = new Array<number>(count * count).fill(0);
  for (let a = 0; a < count; a += 1) {
    for (let b = 0; b < a; b += 1) out[a * count + b] = out[b * count + a] = draw();
  }
  return out;
}
