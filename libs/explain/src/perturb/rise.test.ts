import { rise } from '@shoal/explain';
import { drive, expectClose, predict } from '../../test/drive';

const [height, width] = [12, 10];
const image = { height, width, channels: 2, planes: true, values: new Float64Array(240).fill(1) };
const options = { image, baseline: new Float64Array(240), masks: 400, cells: 4, visible: 0.4, seed: 9 };

test('a map is Σ f·M / (N·p), and the masks are what is asked', () => {
  const rows: Float64Array[] = [];
  const result = drive(
    rise(options),
    predict((row) => {
      rows.push(row.slice());
      return [row[17] as number, 1];
    }),
  );
  expect(rows.length).toBe(400);
  for (const output of [0, 1])
    expectClose(
      result.maps[output] ?? [],
      Array.from(
        { length: 120 },
        (_, pixel) =>
          rows.reduce((sum, row) => sum + (output === 0 ? (row[17] as number) : 1) * (row[pixel] as number), 0) /
          (400 * 0.4),
      ),
      1e-9,
    );
  // Both channels fade together; masks are smooth, from 0 to 1, and visible as often as was asked.
  for (const row of rows) expectClose(row.slice(0, 120), row.slice(120));
  const all = rows.flatMap((row) => [...row]);
  expect(Math.min(...rows.map((row) => Math.min(...row)))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...rows.map((row) => Math.max(...row)))).toBeLessThanOrEqual(1);
  expect(Math.abs(all.reduce((sum, one) => sum + one, 0) / all.length - 0.4)).toBeLessThan(0.03);
  expect(all.some((one) => one > 0.1 && one < 0.9)).toBe(true);
});

test('the pixel that matters has the greatest value, those far away about that of a mask', () => {
  const at = 5 * width + 4;
  const { maps, standardErrors } = drive(
    rise({ ...options, masks: 3000 }),
    predict((row) => row[at] as number),
  );
  const map = maps[0] as Float64Array;
  expect(map.indexOf(map.reduce((a, b) => Math.max(a, b)))).toBe(at);
  // E[M]²/p = p where masks are independent.
  expect(Math.abs((map[119] as number) - 0.4)).toBeLessThan(6 * (standardErrors[0]?.[119] as number));
});

test('hidden parts fade into the baseline', () => {
  const baseline = new Float64Array(240).fill(5);
  drive(
    rise({ ...options, baseline, masks: 20 }),
    predict((row) => {
      for (const value of row) if (!(value >= 1 && value <= 5)) throw new Error(`${value}`);
      return 0;
    }),
  );
  expect(() => rise({ ...options, baseline: new Float64Array(3) })).toThrow("the image's 240 values, got 3");
});
