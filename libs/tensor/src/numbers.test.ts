import { dataTypes } from './data-type';
import { fromNumbers, toNumbers } from './numbers';

const numeric = dataTypes.filter((datatype) => datatype !== 'BYTES');

test.each(numeric)('small whole numbers survive %s', (datatype) => {
  const values = datatype === 'BOOL' ? [0, 1, 1] : [0, 1, 2, 100];
  expect([...toNumbers(datatype, fromNumbers(datatype, values))]).toEqual(values);
});

test('every finite half is itself again', () => {
  for (let bits = 0; bits < 0x10000; bits += 1) {
    if ((bits & 0x7c00) === 0x7c00) continue;
    const [value = NaN] = toNumbers('FP16', Uint8Array.of(bits & 0xff, bits >> 8));
    expect([...fromNumbers('FP16', [value])]).toEqual([bits & 0xff, bits >> 8]);
  }
});

test('halves are rounded to the nearest, ties to even; what is too large is infinite', () => {
  const given = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519.99, 65520, -Infinity, 2 ** -25, 3 * 2 ** -25, 2047.9999];
  const wanted = [1, 1 + 2 ** -9, 65504, Infinity, -Infinity, 0, 2 ** -23, 2048];
  expect([...toNumbers('FP16', fromNumbers('FP16', given))]).toEqual(wanted);
  expect(toNumbers('FP16', fromNumbers('FP16', [NaN]))[0]).toBeNaN();
});

test('BF16 is rounded to the nearest, ties to even', () => {
  const given = [1 + 2 ** -8, 1 + 3 * 2 ** -8, -3.1415926, Infinity];
  expect([...toNumbers('BF16', fromNumbers('BF16', given))]).toEqual([1, 1 + 2 ** -6, -3.140625, Infinity]);
  expect(toNumbers('BF16', fromNumbers('BF16', [NaN]))[0]).toBeNaN();
});

test('integers are rounded and held in range', () => {
  expect([...toNumbers('INT8', fromNumbers('INT8', [-200, 1.5, 127.4, 300]))]).toEqual([-128, 2, 127, 127]);
  expect([...toNumbers('UINT64', fromNumbers('UINT64', [-1, 2 ** 64]))]).toEqual([0, 2 ** 64]);
  expect([...toNumbers('INT64', fromNumbers('INT64', [-(2 ** 63), 2 ** 63]))]).toEqual([-(2 ** 63), 2 ** 63]);
  expect(() => fromNumbers('INT32', [NaN])).toThrow('NaN cannot be an element of the data type INT32');
});
