import {
  type DataType,
  bytesOf,
  elementSize,
  encodeByteElements,
  fromNumbers,
  isDataType,
  walkByteElements,
} from '@shoal/tensor';
import type { RowsMessage, TensorMessage } from './messages';
import { invalid, quoted } from './refuse';

/** A tensor whose bytes have been checked against its shape. */
export interface Tensor {
  readonly name: string;
  readonly datatype: DataType;
  readonly shape: readonly number[];
  /** Raw contents. */
  readonly bytes: Uint8Array;
}

/** Inputs are few; a bound keeps a small message from being many. */
const maxTensors = 64;
const maxDims = 16;

/**
 * The tensors of a message, contents in either form as in ModelInferRequest.
 * @param what of the request it is, for messages
 * @throws ShoalError INVALID_ARGUMENT
 */
export function tensorsOf({ inputs, raw_input_contents: raw }: RowsMessage, what: string): Tensor[] {
  if (inputs.length > maxTensors) throw invalid(`${what}: at most ${maxTensors} tensors, got ${inputs.length}`);
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw invalid(`${what}: ${inputs.length} tensors need as many raw_input_contents, got ${raw.length}`);
  }
  const names = new Set(inputs.map(({ name }) => name));
  if (names.size < inputs.length) throw invalid(`${what}: two tensors have the same name`);
  return inputs.map((message, at) => tensorOf(message, raw[at], what));
}

function tensorOf(message: TensorMessage, raw: Buffer | undefined, what: string): Tensor {
  const { name, datatype, shape } = message;
  const where = `${what}: tensor ${quoted(name)}`;
  if (!isDataType(datatype)) throw invalid(`${where} has no known data type: ${quoted(datatype)}`);
  if (shape.length > maxDims || shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) {
    throw invalid(`${where} has no possible shape: at most ${maxDims} dimensions, none negative`);
  }
  if (raw && message.contents && Object.values(message.contents).some(({ length }) => length > 0)) {
    throw invalid(`${where} has contents in both forms`);
  }
  const bytes = raw ?? typedBytes(message, datatype, where);
  const elements = shape.reduce((product, dim) => product * dim, 1);
  if (datatype === 'BYTES') {
    const walked = walkByteElements(bytes);
    if (!walked.ok || walked.count !== elements) {
      throw invalid(`${where}: its shape [${shape.join(',')}] is of ${elements} elements, its contents are not`);
    }
  } else if (bytes.length !== elements * elementSize(datatype)) {
    const wanted = `${elements * elementSize(datatype)} bytes for shape [${shape.join(',')}]`;
    throw invalid(`${where}: expected ${wanted}, got ${bytes.length}`);
  }
  return { name, datatype, shape, bytes };
}

/** The field of InferTensorContents that holds a data type's elements. */
const contentFields: Readonly<Partial<Record<DataType, string>>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

function typedBytes({ contents }: TensorMessage, datatype: DataType, where: string): Uint8Array {
  const field = contentFields[datatype];
  if (field === undefined) throw invalid(`${where}: ${datatype} has raw_input_contents only`);
  const values = contents?.[field] ?? [];
  const filled = Object.entries(contents ?? {}).find(([name, { length }]) => name !== field && length > 0);
  if (filled) throw invalid(`${where}: ${datatype} is in ${field}, got ${filled[0]}`);
  if (datatype === 'BYTES') return encodeByteElements(values as readonly Buffer[]);
  // The loader gives 64-bit integers as numbers, exact up to 2^53.
  return bytesOf(fromNumbers(datatype, values.map(Number)));
}
