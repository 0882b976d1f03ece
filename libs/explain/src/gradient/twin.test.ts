import { seededRandom } from '@shoal/core';

import { arithmeticCases } from '../testing/cases/arithmetic';
import { double } from '../testing/cases/common';
import { shapingCases } from '../testing/cases/shaping';
import { unaryCases } from '../testing/cases/unary';
import { windowCases } from '../testing/cases/windows';
import { type GradientCase, gradientError } from '../testing/check-gradient';

const named = { ...arithmeticCases, ...shapingCases, ...windowCases };
const cases: GradientCase[] = [...unaryCases, ...Object.entries(named).map(([name, one]) => ({ name, ...one }))];

/** Double: truncation and rounding of differences stay below 1e-6; float: below 2e-3 of the largest gradient. */
const tolerance = (one: GradientCase): number => (one.type === double ? 1e-6 : 2e-3);

describe('gradients of operators against central differences', () => {
  const seed = 7;

  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    expect(await gradientError(one, seededRandom(seed))).toBeLessThan(tolerance(one));
  });

  it.each(cases.map((one) => [one.name, one] as const))('%s, nothing known of its shapes', async (_name, one) => {
    const inputs: Record<string, undefined[] | undefined> = {};
    const shapes: Record<string, number[]> = {};
    for (const [name, dims] of Object.entries(one.inputs)) {
      inputs[name] = (dims ?? []).map(() => undefined);
      shapes[name] = (dims ?? []).map((dim) => (typeof dim === 'number' ? dim : 3));
    }
    expect(await gradientError({ ...one, inputs, shapes }, seededRandom(seed))).toBeLessThan(tolerance(one));
  });
});
