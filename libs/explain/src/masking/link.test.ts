import { coalitionValues, identityLink, logitLink } from '@shoal/explain';
import { expectClose } from '../../test/drive';

test('logit keeps away from 0 and 1, and counts what it moved', () => {
  const link = logitLink(1e-3);
  const ends = [0, 1, -0.1, 1.2, 0.0005].map((p) => link.apply(p));
  const most = Math.log(0.999 / 0.001);
  expectClose(ends, [-most, most, -most, most, -most], 1e-12);
  expect([link.clamped, link.outside]).toEqual([5, 2]);
  expect(link.apply(0.5)).toBe(0);
  expect(link.apply(0.999)).toBeCloseTo(most, 12);
  expect(link.clamped).toBe(5);
});

test.each([0, 0.5, -1, Number.NaN])('a logit link of epsilon %d is refused', (epsilon) => {
  expect(() => logitLink(epsilon)).toThrow(/more than 0 and less than 0.5/u);
});

test('a coalition is worth the link of the weighted mean over background rows', () => {
  // Two coalitions, two background rows, two outputs.
  const predictions = Float64Array.of(0.1, 0.2, 0.3, 0.6, 0.5, 0.5, 0.9, 0.1);
  expectClose(coalitionValues(predictions, 2, 2, identityLink()), [0.2, 0.4, 0.7, 0.3]);
  const weighted = coalitionValues(predictions, 2, 2, logitLink(), Float64Array.of(0.75, 0.25));
  expectClose(
    weighted,
    [0.15, 0.3, 0.6, 0.4].map((p) => Math.log(p / (1 - p))),
  );
  expect(() => coalitionValues(predictions, 3, 2, identityLink())).toThrow(/whole coalitions/u);
});
