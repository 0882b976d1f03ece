import type { InputRows } from './messages';

/** The fields of a message that carry tensors. */
export function tensors(rows: readonly InputRows[]): object {
  return {
    inputs: rows.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_input_contents: rows.map(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
  };
}
