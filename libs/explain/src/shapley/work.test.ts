import { type Estimator, kernelShap, sampledBanzhaf, type ShapleyResult } from '@shoal/explain';
import { seededRandom } from '@shoal/core';
import { play } from '../../test/drive';
import { SignSums } from './sign-sums';

const players = 150;

/** Not additive: saturates. */
function game(mask: Uint8Array): readonly number[] {
  let sum = 0;
  for (const [player, present] of mask.entries()) sum += present * Math.sin(player);
  return [Math.tanh(sum / 3), sum];
}

/** Runs it to its end, what it computes in pieces, or not; and how many pieces that were. */
function run(estimator: Estimator<ShapleyResult>, inPieces: boolean): { result: ShapleyResult; pieces: number } {
  let pieces = 0;
  for (let batch = estimator.next(64); batch !== undefined; batch = estimator.next(64)) {
    estimator.tell(play(game)(batch));
    if (!inPieces) continue;
    while (estimator.work?.() === true) pieces++;
  }
  return { result: estimator.result() as ShapleyResult, pieces };
}

const methods = { kernelShap, sampledBanzhaf };

describe.each(Object.keys(methods) as (keyof typeof methods)[])('%s of many players', (name) => {
  const options = { players, budget: 1000, seed: 4 };

  test('solves in pieces, and says the same in one', () => {
    const { result, pieces } = run(methods[name](options), true);
    // A matrix for each part of the jackknife, and one of all.
    expect(pieces).toBeGreaterThan(20);
    expect(result).toEqual(run(methods[name](options), false).result);
    expect(result.outputs[0]?.standardErrors?.every((error) => error > 0)).toBe(true);
  });

  test('stops at a target that is looked at in pieces, where it stops in one', () => {
    const early = { ...options, budget: 20_000, targetError: 0.2 };
    const { result, pieces } = run(methods[name](early), true);
    expect(pieces).toBeGreaterThan(20);
    expect(result.stopReason).toBe('target_error');
    expect(result).toEqual(run(methods[name](early), false).result);
  });

  test('on the way there are estimates, whose errors are not known yet', () => {
    const estimator = methods[name](options);
    for (let told = 0; told < 600; told += 50) {
      const batch = estimator.next(50);
      if (batch) estimator.tell(play(game)(batch));
    }
    const [output] = estimator.result()?.outputs ?? [];
    expect(output?.values.every(Number.isFinite)).toBe(true);
    expect(output?.standardErrors?.every(Number.isNaN)).toBe(true);
  });
});

test('sums over signs are those of one vector after the other, whatever the weights', () => {
  const random = seededRandom(9);
  const size = 37;
  for (const [first, weights] of [
    [32, [1]],
    [5, [1]],
    [32, [0.25, 0.25, 0.5]],
  ] as const) {
    const sums = new SignSums(size, first);
    const naive = new Float64Array(size * size);
    for (let count = 0; count < 101; count++) {
      const mask = Uint8Array.from({ length: size }, () => (random.next() < 0.3 ? 1 : 0));
      const weight = weights[count % weights.length] as number;
      sums.add(mask, weight);
      for (let i = 0; i < size; i++)
        for (let j = 0; j <= i; j++) naive[i * size + j]! += weight * (mask[i] === mask[j] ? 1 : -1);
      if (count === 50) sums.sums();
    }
    expect(sums.sums()).toEqual(naive);
  }
});
