import { type DataType, elementSize, encodeStrings, tensorArray } from '@shoal/tensor';
import { ShoalError, type Random } from '@shoal/core';

/** Length of made-up BYTES elements, in characters. */
const stringLength = 16;

/** Raw contents of `count` zeros; of empty strings for BYTES. */
export function zeroData(datatype: DataType, count: number): Uint8Array {
  if (datatype === 'BYTES') return encodeStrings(Array.from({ length: count }, () => ''));
  return new Uint8Array(count * elementSize(datatype));
}

/**
 * Raw contents of `count` random elements: floats in [0, 1), integers in [0, 128) (so that every width holds them and
 * ids stay in most vocabularies), BOOL 0 or 1, BYTES lower-case words.
 */
export function randomData(datatype: DataType, count: number, random: Random): Uint8Array {
  if (datatype === 'BYTES') return encodeStrings(Array.from({ length: count }, () => randomWord(random)));
  const bytes = new Uint8Array(count * elementSize(datatype));
  const array = tensorArray(datatype, bytes);
  for (let i = 0; i < count; i++) array[i] = randomElement(datatype, random);
  return bytes;
}

function randomElement(datatype: Exclude<DataType, 'BYTES'>, random: Random): never {
  const value = () => {
    switch (datatype) {
      case 'FP32':
      case 'FP64':
        return random.next();
      case 'BOOL':
        return random.next() < 0.5 ? 0 : 1;
      case 'INT64':
      case 'UINT64':
        return BigInt(Math.floor(random.next() * 128));
      case 'FP16':
        // 0.5 … 1: exponent 14, any mantissa.
        return 0x3800 | Math.floor(random.next() * 1024);
      case 'BF16':
        return 0x3f00 | Math.floor(random.next() * 128);
      default:
        return Math.floor(random.next() * 128);
    }
  };
  // The union of arrays is written with the element type of each of them.
  return value() as never;
}

function randomWord(random: Random): string {
  let word = '';
  for (let i = 0; i < stringLength; i++) word += String.fromCharCode(97 + Math.floor(random.next() * 26));
  return word;
}

/**
 * Raw contents of listed values.
 * @throws ShoalError INVALID_ARGUMENT when one is no such value.
 */
export function listedData(datatype: DataType, values: readonly unknown[], what: string): Uint8Array {
  const refuse = (value: unknown) =>
    new ShoalError('INVALID_ARGUMENT', `${what}: ${JSON.stringify(value)} is no ${datatype} value`);
  if (datatype === 'BYTES') {
    return encodeStrings(
      values.map((value) => {
        if (typeof value !== 'string') throw refuse(value);
        return value;
      }),
    );
  }
  if (datatype === 'FP16' || datatype === 'BF16') {
    throw new ShoalError('INVALID_ARGUMENT', `${what}: values of ${datatype} must be given in base64 ("b64")`);
  }
  const bytes = new Uint8Array(values.length * elementSize(datatype));
  const array = tensorArray(datatype, bytes);
  const wide = datatype === 'INT64' || datatype === 'UINT64';
  values.forEach((value, i) => {
    const number = typeof value === 'boolean' ? Number(value) : value;
    if (typeof number !== 'number' || (wide && !Number.isSafeInteger(number))) throw refuse(value);
    if (datatype === 'BOOL' && number !== 0 && number !== 1) throw refuse(value);
    array[i] = (wide ? BigInt(number) : number) as never;
    if (!datatype.startsWith('FP') && Number(array[i]) !== number) throw refuse(value);
  });
  return bytes;
}
