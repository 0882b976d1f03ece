import { seededRandom } from '@shoal/core';
import { dataTypes, decodeStrings, elementSize } from '@shoal/tensor';
import { listedData, randomData, zeroData } from './made-data';

test.each(dataTypes)('%s: as many elements as asked for, the same for the same seed', (datatype) => {
  const bytes = randomData(datatype, 100, seededRandom(7));
  expect(bytes).toEqual(randomData(datatype, 100, seededRandom(7)));
  expect(bytes).not.toEqual(randomData(datatype, 100, seededRandom(8)));
  const count = datatype === 'BYTES' ? decodeStrings(bytes).length : bytes.length / elementSize(datatype);
  expect(count).toBe(100);
  expect(zeroData(datatype, 3)).toHaveLength(datatype === 'BYTES' ? 12 : 3 * elementSize(datatype));
});

test('random floats lie in [0, 1), whatever their width', () => {
  const bytes = randomData('FP32', 1000, seededRandom(1));
  for (const value of new Float32Array(bytes.buffer)) expect(value >= 0 && value < 1).toBe(true);
  for (const bits of new Uint16Array(randomData('FP16', 1000, seededRandom(1)).buffer)) {
    expect(bits >= 0x3800 && bits < 0x3c00).toBe(true);
  }
});

test('listed values', () => {
  expect([...new Int32Array(listedData('INT32', [1, -2], 'x').buffer)]).toEqual([1, -2]);
  expect([...new BigInt64Array(listedData('INT64', [1, -2], 'x').buffer)]).toEqual([1n, -2n]);
  expect([...listedData('BOOL', [true, false, 1], 'x')]).toEqual([1, 0, 1]);
  expect(decodeStrings(listedData('BYTES', ['a', 'ß'], 'x'))).toEqual(['a', 'ß']);
});

test.each([
  ['INT8', [200]],
  ['UINT8', [-1]],
  ['INT32', [1.5]],
  ['INT64', ['1']],
  ['INT64', [2 ** 53]],
  ['BYTES', [1]],
  ['FP32', ['x']],
  ['BOOL', [2]],
] as const)('%s does not take %j', (datatype, values) => {
  expect(() => listedData(datatype, values, 'data[0].x')).toThrow('data[0].x');
});
