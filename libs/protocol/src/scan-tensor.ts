import { type InferParameter, type InferParameters, noParameters, readParameter } from './parameters';
import { type WireReader, wire } from './wire-reader';

/** A tensor's header as it stands in a message: InferInputTensor or InferOutputTensor, which are numbered alike. */
export interface TensorHeader {
  readonly name: string;
  /** As sent; need not be a known data type. */
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: InferParameters;
  /** The undecoded InferTensorContents; undefined where the field is absent, empty where it is present and empty. */
  readonly contents: Buffer | undefined;
}

/** More dimensions than this are refused; NumPy allows 64, ONNX models have a handful. */
export const maxDims = 64;

/**
 * More pieces of one tensor's contents than this are refused: encoders write one. An empty piece takes two bytes of a
 * message and a hundred of memory.
 */
export const maxContentsPieces = 1024;

/** Reads a tensor header (tag already read, at its length). */
export function readTensorHeader(reader: WireReader): TensorHeader {
  const outer = reader.enter('a tensor');
  let name = '';
  let datatype = '';
  const shape: number[] = [];
  let parameters: Map<string, InferParameter> | undefined;
  let contents: Buffer[] | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case (1 << 3) | wire.bytes:
        name = reader.string("a tensor's name");
        break;
      case (2 << 3) | wire.bytes:
        datatype = reader.string("a tensor's data type");
        break;
      case (3 << 3) | wire.bytes:
        readPackedShape(reader, shape);
        break;
      case (3 << 3) | wire.varint:
        readDim(reader, shape);
        break;
      case (4 << 3) | wire.bytes:
        readParameter(reader, (parameters ??= new Map()));
        break;
      case (5 << 3) | wire.bytes:
        contents ??= [];
        if (contents.length >= maxContentsPieces) reader.fail(`more than ${maxContentsPieces} pieces of contents`);
        contents.push(reader.bytes('contents'));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  return { name, datatype, shape, parameters: parameters ?? noParameters, contents: merge(contents) };
}

/** Several sub-messages of one field count as one; in wire format, merging them is putting them one after the other. */
function merge(parts: readonly Buffer[] | undefined): Buffer | undefined {
  if (parts === undefined) return undefined;
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function readPackedShape(reader: WireReader, shape: number[]): void {
  const outer = reader.enter('a shape');
  while (reader.at < reader.end) readDim(reader, shape);
  reader.leave(outer);
}

function readDim(reader: WireReader, shape: number[]): void {
  const start = reader.at;
  reader.varint64();
  const dim = reader.signed();
  if (shape.length >= maxDims) reader.fail(`more than ${maxDims} dimensions`);
  if (typeof dim === 'bigint') {
    reader.at = start;
    reader.fail(`dimension ${dim} is out of range`);
  }
  shape.push(dim);
}
