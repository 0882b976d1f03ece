import { ShoalError } from '@shoal/core';
import { isDataType } from '@shoal/tensor';
import type { Tensor } from '../requests/tensor';

/** The inputs of a background: the first dimension is its rows. '' as the only name = the one input that is explained. */
export type BackgroundTensors = readonly Tensor[];

/** Bytes that stand for rows, the same for the same rows: a line of JSON that describes the tensors, then their contents. */
export function encodeBackground(tensors: BackgroundTensors): Buffer {
  const head = tensors.map(({ name, datatype, shape, bytes }) => ({ name, datatype, shape, bytes: bytes.length }));
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...tensors.map(({ bytes }) => bytes)]);
}

/** @throws ShoalError DATA_LOSS for other bytes */
export function decodeBackground(bytes: Buffer): Tensor[] {
  const end = bytes.indexOf('\n');
  let at = end + 1;
  try {
    const head = JSON.parse(bytes.toString('utf8', 0, end)) as readonly {
      name: string;
      datatype: string;
      shape: number[];
      bytes: number;
    }[];
    return head.map(({ name, datatype, shape, bytes: length }) => {
      if (!isDataType(datatype) || at + length > bytes.length) throw new Error('it is cut short');
      at += length;
      return { name, datatype, shape, bytes: bytes.subarray(at - length, at) };
    });
  } catch (cause) {
    throw new ShoalError('DATA_LOSS', 'a stored background cannot be read', { cause });
  }
}

/** How many rows, which all inputs have. @throws ShoalError INVALID_ARGUMENT */
export function rowsOf(tensors: BackgroundTensors, what: string): number {
  const rows = tensors[0]?.shape[0] ?? 0;
  if (rows < 1 || tensors.some(({ shape }) => shape[0] !== rows)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `${what}: the first dimension of each tensor is the rows, the same number for all, at least 1`,
    );
  }
  return rows;
}
