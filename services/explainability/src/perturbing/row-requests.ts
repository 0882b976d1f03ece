import { type InferResponseView, assembleInferRequest } from '@shoal/protocol';
import { type DataType, elementSize } from '@shoal/tensor';
import { byteElements } from '../requests/byte-elements';
import type { Tensor } from '../requests/tensor';
import { backgroundParameters } from './background-parameters';
import { type OutputPick, readPredictions } from './prediction-reader';

/** An input that differs from row to row. */
export interface EncodedInput {
  readonly name: string;
  readonly datatype: DataType;
  /** Of one row. */
  readonly elements: number;
}

export interface RowRequestParts {
  readonly model: string;
  /** Pinned. */
  readonly version: string;
  /** The first dimension of all inputs is the batch's; else a request is one row. */
  readonly batched: boolean;
  /** The request's row: all inputs, the first dimension 1 where they are batched. */
  readonly row: readonly Tensor[];
  readonly explained: readonly EncodedInput[];
  readonly output: OutputPick;
}

/** Turns rows into requests, and their answers into numbers. */
export interface Requests {
  /** Bytes of one row, all inputs together. */
  readonly rowBytes: number;
  /** Numbers that are read of each row. */
  readonly outputs: number;
  /** For `rows` rows of each explained input. @param sizes bytes of each, where they depend on what is written */
  buffers(rows: number, sizes?: readonly number[]): Uint8Array[];
  /** A request of some of the rows in `buffers`. */
  message(buffers: readonly Uint8Array[], from: number, rows: number): Buffer;
  /** Into [rows × outputs], from a row on. @throws ShoalError when the answer is of another kind than the first one was */
  read(view: InferResponseView, rows: number, into: Float64Array, fromRow: number): void;
}

/** Makes requests of altered rows, and reads their answers. Inputs that are not explained are in them as they are. */
export class RowRequests implements Requests {
  /** Bytes of one row, all inputs together. */
  readonly rowBytes: number;
  readonly #parts: RowRequestParts;

  constructor(parts: RowRequestParts) {
    this.#parts = parts;
    this.rowBytes = parts.row.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** How many elements of the output are read of each row. */
  get outputs(): number {
    return this.#parts.output.indices.length;
  }

  buffers(rows: number, sizes?: readonly number[]): Uint8Array[] {
    return this.#parts.explained.map(
      ({ datatype, elements }, at) => new Uint8Array(sizes?.[at] ?? rows * elements * elementSize(datatype)),
    );
  }

  /** A request of some of the rows in `buffers`. */
  message(buffers: readonly Uint8Array[], from: number, rows: number): Buffer {
    const { model, version, row, explained, output, batched } = this.#parts;
    const inputs = row.map(({ name, datatype, shape, bytes }) => {
      const at = explained.findIndex((input) => input.name === name);
      const input = explained[at];
      const contents = input ? slice(buffers[at] as Uint8Array, from, rows, input) : repeated(bytes, rows);
      return { name, datatype, shape: batched ? [rows, ...shape.slice(1)] : shape, contents };
    });
    return assembleInferRequest({
      model,
      version,
      id: '',
      parameters: backgroundParameters,
      inputs,
      outputs: [output.name],
    });
  }

  /** @throws ShoalError FAILED_PRECONDITION as `readPredictions` */
  read(view: InferResponseView, rows: number, into: Float64Array, fromRow: number): void {
    readPredictions(view, this.#parts.output, rows, into, fromRow * this.outputs);
  }
}

/** A request of the row as it is, for all outputs. */
export function plainRequest(model: string, version: string, row: readonly Tensor[]): Buffer {
  const inputs = row.map(({ name, datatype, shape, bytes }) => ({ name, datatype, shape, contents: bytes }));
  return assembleInferRequest({ model, version, id: '', parameters: backgroundParameters, inputs, outputs: [] });
}

function slice(bytes: Uint8Array, from: number, rows: number, { datatype, elements }: EncodedInput): Uint8Array {
  if (datatype === 'BYTES') return byteElements(bytes, from * elements, (from + rows) * elements);
  const rowBytes = elements * elementSize(datatype);
  return bytes.subarray(from * rowBytes, (from + rows) * rowBytes);
}

function repeated(bytes: Uint8Array, rows: number): Uint8Array {
  if (rows === 1) return bytes;
  const all = new Uint8Array(rows * bytes.length);
  for (let row = 0; row < rows; row += 1) all.set(bytes, row * bytes.length);
  return all;
}
