import type { ModelIo } from './model-io';
import { checkBatchSize, parseShapes, resolveShapes } from './shapes';

const model: ModelIo = {
  name: 'm',
  version: '',
  maxBatchSize: 8,
  inputs: [
    { name: 'fixed', datatype: 'FP32', dims: [3, 4] },
    { name: 'open', datatype: 'INT64', dims: [-1, 2] },
  ],
  outputs: [],
};

test('sizes that the model leaves open come from the user', () => {
  const shapes = resolveShapes(model, parseShapes(['open:5,2']));
  expect(Object.fromEntries(shapes)).toEqual({ fixed: [3, 4], open: [5, 2] });
});

test('a name may hold colons', () => {
  expect([...parseShapes(['a:b:1,2'])]).toEqual([['a:b', [1, 2]]]);
});

test.each([
  [[], '--shape=open:16,2'],
  [['open:5,3'], 'declares [-1,2]'],
  [['open:5'], 'declares [-1,2]'],
  [['fixed:3,5', 'open:1,2'], 'declares [3,4]'],
  [['other:1'], 'has the inputs fixed, open'],
  [['open'], 'expected NAME:D1'],
  [['open:'], 'expected NAME:D1'],
  [['open:1,x'], 'expected NAME:D1'],
  [['open:-1,2'], 'expected NAME:D1'],
])('%s is refused with the way out', (texts, why) => {
  expect(() => resolveShapes(model, parseShapes(texts))).toThrow(why);
});

test('the batch must fit the model', () => {
  expect(() => checkBatchSize(model, 9)).toThrow('at most 8');
  expect(() => checkBatchSize({ ...model, maxBatchSize: 0 }, 2)).toThrow('no batch dimension');
  checkBatchSize(model, 8);
  checkBatchSize({ ...model, maxBatchSize: 0 }, 1);
});
