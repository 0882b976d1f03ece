import { configNameOf, dataTypeOfConfig, dataTypes, elementSize, isDataType } from './data-type';
import { tensorArray } from './view';

test('every type has a config name and back', () => {
  expect(dataTypes.length).toBe(14);
  for (const type of dataTypes) expect(dataTypeOfConfig(configNameOf(type))).toBe(type);
  expect(configNameOf('BYTES')).toBe('TYPE_STRING');
});

test('words that are no types', () => {
  for (const word of ['', 'fp32', 'TYPE_FP32', 'STRING', 'toString', '__proto__', 'constructor']) {
    expect(isDataType(word)).toBe(false);
  }
  for (const name of ['TYPE_INVALID', 'TYPE_BYTES', 'TYPE_', 'FP32', ''])
    expect(dataTypeOfConfig(name)).toBeUndefined();
});

test('an element is as wide as its typed array says', () => {
  for (const type of dataTypes) {
    const width = type === 'BYTES' ? 0 : tensorArray(type, new Uint8Array(0)).BYTES_PER_ELEMENT;
    expect(elementSize(type)).toBe(width);
  }
});
