import { type InferParameter, type InferParameters, noParameters, readParameter } from './parameters';
import { type TensorHeader, readTensorHeader } from './scan-tensor';
import { WireReader, wire } from './wire-reader';

/** An output that the client asked for. */
export interface RequestedOutput {
  readonly name: string;
  readonly parameters: InferParameters;
}

/** The header of an inference.ModelInferRequest, with its tensor contents left where they lie in the message. */
export interface InferRequestView {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: InferParameters;
  readonly inputs: readonly TensorHeader[];
  readonly outputs: readonly RequestedOutput[];
  /** Views into the message, no copies. */
  readonly rawInputContents: readonly Buffer[];
}

/**
 * More inputs, outputs or raw contents than this are refused. An empty tensor takes two bytes of a message and a
 * hundred of memory, so without a bound a small message could occupy a large heap.
 */
export const maxTensors = 4096;

/**
 * Reads the header of a serialised inference.ModelInferRequest. Follows protobuf's rules: fields in any order, the
 * last of a scalar wins, packed and unpacked shapes, unknown fields are skipped. Throws ShoalError INVALID_ARGUMENT
 * for bytes that are no such message, saying what is wrong and where. Allocates nothing by declared sizes.
 */
export function scanInferRequest(message: Buffer): InferRequestView {
  const reader = new WireReader(message, 'ModelInferRequest');
  let modelName = '';
  let modelVersion = '';
  let id = '';
  let parameters: Map<string, InferParameter> | undefined;
  const inputs: TensorHeader[] = [];
  const outputs: RequestedOutput[] = [];
  const rawInputContents: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case (1 << 3) | wire.bytes:
        modelName = reader.string('model_name');
        break;
      case (2 << 3) | wire.bytes:
        modelVersion = reader.string('model_version');
        break;
      case (3 << 3) | wire.bytes:
        id = reader.string('id');
        break;
      case (4 << 3) | wire.bytes:
        readParameter(reader, (parameters ??= new Map()));
        break;
      case (5 << 3) | wire.bytes:
        if (inputs.length >= maxTensors) reader.fail(`more than ${maxTensors} inputs`);
        inputs.push(readTensorHeader(reader));
        break;
      case (6 << 3) | wire.bytes:
        if (outputs.length >= maxTensors) reader.fail(`more than ${maxTensors} outputs`);
        outputs.push(readRequestedOutput(reader));
        break;
      case (7 << 3) | wire.bytes:
        if (rawInputContents.length >= maxTensors) reader.fail(`more than ${maxTensors} raw_input_contents`);
        rawInputContents.push(reader.bytes('raw_input_contents'));
        break;
      default:
        reader.skip(tag);
    }
  }
  return {
    modelName,
    modelVersion,
    id,
    parameters: parameters ?? noParameters,
    inputs,
    outputs,
    rawInputContents,
  };
}

function readRequestedOutput(reader: WireReader): RequestedOutput {
  const outer = reader.enter('a requested output');
  let name = '';
  let parameters: Map<string, InferParameter> | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | wire.bytes)) name = reader.string("an output's name");
    else if (tag === ((2 << 3) | wire.bytes)) readParameter(reader, (parameters ??= new Map()));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { name, parameters: parameters ?? noParameters };
}
