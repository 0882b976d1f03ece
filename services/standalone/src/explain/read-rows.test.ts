import { Buffer } from 'node:buffer';
import { encode } from 'fast-png';
import type { ModelIo } from '@shoal/load';
import { toNumbers } from '@shoal/tensor';
import { csvRows } from './csv-rows';
import { imageRow, readPixels } from './image-row';
import { jsonRows } from './json-rows';

const model = (dims: readonly number[], maxBatchSize = 8, datatype: 'FP32' | 'UINT8' = 'FP32'): ModelIo => ({
  ...{ name: 'm', version: '', maxBatchSize, outputs: [] },
  inputs: [{ name: 'x', datatype, dims }],
});

const values = (bytes: Uint8Array, datatype: 'FP32' | 'UINT8' = 'FP32') => [...toNumbers(datatype, bytes)];

describe('JSON', () => {
  test.each([
    ['by name', '{"x": [[1, 2], [3, 4]]}'],
    ['a V2 request', '{"inputs": [{"name": "x", "shape": [1, 2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]}'],
  ])('%s', (_, source) => {
    const [input] = jsonRows(source, model([2, 2]), 'it', 1);
    expect(input).toMatchObject({ name: 'x', datatype: 'FP32', shape: [1, 2, 2] });
    expect(values(input!.bytes)).toEqual([1, 2, 3, 4]);
  });

  test('an input of any size takes what is there; a model without a batch dimension gets none', () => {
    expect(jsonRows('{"x": [1, 2, 3]}', model([-1]), 'it', 1)[0]).toMatchObject({ shape: [1, 3] });
    expect(jsonRows('{"x": [1, 2, 3]}', model([3], 0), 'it', 1)[0]).toMatchObject({ shape: [3] });
  });

  test('several rows where several may be', () => {
    expect(jsonRows('{"x": [[1, 2], [3, 4]]}', model([2]), 'it')[0]).toMatchObject({ shape: [2, 2] });
    expect(() => jsonRows('{"x": [[1, 2], [3, 4]]}', model([2]), 'it', 1)).toThrow('has 4 elements');
  });

  test.each([
    ['{', 'it is no JSON'],
    ['[1]', 'expected { "INPUT": [ … ] }'],
    ['{"y": [1]}', "model 'm' has no input 'y'; it has x"],
    ['{}', "it has no input 'x'"],
    ['{"x": 1}', "input 'x' is no list"],
    ['{"x": [1, 2, 3]}', 'a row of it has the shape [2]'],
    ['{"x": [1, "a"]}', '"a" is no FP32 value'],
  ])('%s is refused', (source, why) => {
    expect(() => jsonRows(source, model([2]), 'it', 1)).toThrow(why);
  });
});

describe('CSV', () => {
  const table = '\ufeffage,"height, cm"\n1,2\n\n3.5,-4e2\r\n5,\n';

  test('one line of it, with the names of the columns', () => {
    const { names, inputs } = csvRows(table, model([2]), 'it', 2);
    expect(names).toEqual(['age', 'height, cm']);
    expect(inputs[0]).toMatchObject({ name: 'x', shape: [1, 2] });
    expect(values(inputs[0]!.bytes)).toEqual([3.5, -400]);
  });

  test('all lines; an empty cell is no number', () => {
    const [input] = csvRows(table, model([2]), 'it').inputs;
    expect(input).toMatchObject({ shape: [3, 2] });
    expect(values(input!.bytes)).toEqual([1, 2, 3.5, -400, 5, Number.NaN]);
  });

  test('what cannot be is refused', () => {
    expect(() => csvRows(table, model([2]), 'it', 9)).toThrow('it has 3 rows after the names, and no row 9');
    expect(() => csvRows('a,b\n1,x', model([2]), 'it', 1)).toThrow("it, row 1: 'x' in column 'b' is no number");
    expect(() => csvRows('a,b,c\n1,2,3', model([2]), 'it', 1)).toThrow(
      'it has 3 elements; a row of it has the shape [2]',
    );
    expect(() => csvRows('1,2\n3,4', model([2]), 'it')).toThrow('it must name the columns');
    const two = { ...model([2]), inputs: [...model([2]).inputs, ...model([2]).inputs] };
    expect(() => csvRows(table, two, 'it', 1)).toThrow('use --input');
  });
});

describe('a picture', () => {
  const colors = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => i * 10);
  const png = encode({ width: 3, height: 2, channels: 3, depth: 8, data: colors });

  test('of three channels, as planes or as it is', () => {
    const pixels = readPixels(png, 'it');
    expect(pixels).toMatchObject({ width: 3, height: 2, channels: 3, data: colors });
    const planes = imageRow(pixels, model([3, 2, 3], 8, 'UINT8'), 0, 'it');
    expect(planes).toMatchObject({ heightAxis: 1, widthAxis: 2, input: { shape: [1, 3, 2, 3] } });
    expect(values(planes.input.bytes, 'UINT8').slice(0, 6)).toEqual([0, 30, 60, 90, 120, 150]);
    expect([...planes.elementOf].slice(0, 4)).toEqual([0, 6, 12, 1]);
    const packed = imageRow(pixels, model([2, 3, 3], 0, 'UINT8'), 0, 'it');
    expect(packed.input).toMatchObject({ shape: [2, 3, 3] });
    expect(values(packed.input.bytes, 'UINT8')).toEqual([...colors]);
  });

  test('is scaled to 0 to 1 where the model takes floating point, or as asked', () => {
    const pixels = readPixels(png, 'it');
    const [unit, scaled] = [0, 2].map((scale) => imageRow(pixels, model([3, -1, -1]), scale, 'it').input.bytes);
    expect(values(unit!)[1]).toBeCloseTo(30 / 255, 6);
    expect(values(scaled!)[1]).toBe(60);
  });

  test.each([
    ['P5', Buffer.concat([Buffer.from('P5 # made\n2 2\n255\n'), Buffer.from([0, 1, 2, 255])]), [0, 1, 2, 255]],
    ['P5 of 16 bits', Buffer.concat([Buffer.from('P5 1 1 65535\n'), Buffer.from([0xff, 0xff])]), [255]],
    ['P2', Buffer.from('P2\n2 1\n15\n0 15\n'), [0, 255]],
    ['P3', Buffer.from('P3 1 1 255 7 8 9'), [7, 8, 9]],
  ])('%s', (_, bytes, data) => {
    expect([...readPixels(bytes, 'it').data]).toEqual(data);
  });

  test.each([
    ['another size', png, [1, 8, 8], 'it has 3 × 2 pixels of three channels'],
    ['no picture', Buffer.from('hello'), [1, 8, 8], 'neither PNG nor PGM nor PPM'],
    ['cut short', Buffer.from('P5 2 2 255\n\u0001'), [2, 2], 'it ends after 1 of 4 samples'],
    ['a header of nonsense', Buffer.from('P5 0 2 255\n'), [2, 2], 'its header has no possible size'],
  ])('%s is refused', (_, bytes, dims, why) => {
    expect(() => imageRow(readPixels(bytes, 'it'), model(dims), 0, 'it')).toThrow(why);
  });
});
