import { assembleInferRequest } from './assemble-request';
import { scanInferRequest } from './scan-request';
import { decodePlain } from './testing/schema';

test('what is written is read back, by us and by protobufjs', () => {
  const contents = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const message = assembleInferRequest({
    model: 'm',
    version: '3',
    id: 'é',
    parameters: new Map([['shoal.background', { kind: 'bool', value: true }]]),
    inputs: [
      { name: 'a', datatype: 'FP32', shape: [1, 2], contents },
      { name: 'b', datatype: 'INT8', shape: [], contents: contents.subarray(0, 1) },
    ],
    outputs: ['y', 'z'],
  });
  const view = scanInferRequest(message);
  expect(view).toMatchObject({ modelName: 'm', modelVersion: '3', id: 'é' });
  expect(view.inputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
    ['a', 'FP32', [1, 2]],
    ['b', 'INT8', []],
  ]);
  expect(view.outputs.map(({ name }) => name)).toEqual(['y', 'z']);
  expect(view.rawInputContents).toEqual([contents, contents.subarray(0, 1)]);
  expect(decodePlain('ModelInferRequest', message)).toMatchObject({ model_version: '3', id: 'é' });
});

test('nothing at all is an empty message', () => {
  expect(assembleInferRequest({ model: '', version: '', id: '', inputs: [], outputs: [] })).toHaveLength(0);
});
