import { type InferParameter, type InferParameters, noParameters, readParameter } from './parameters';
import { type TensorHeader, readTensorHeader } from './scan-tensor';
import { maxTensors } from './scan-request';
import { WireReader, wire } from './wire-reader';

/** An inference.ModelInferResponse taken apart, its contents left where they lie in the message. */
export interface InferResponseView {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: InferParameters;
  readonly outputs: readonly TensorHeader[];
  /** Views into the message; entry i belongs to output i. */
  readonly rawOutputContents: readonly Buffer[];
}

/**
 * Takes a serialised inference.ModelInferResponse apart: for the few answers whose outputs go elsewhere (shared
 * memory); all others pass as they are. Throws as `scanInferRequest` does.
 */
export function scanInferResponse(message: Buffer): InferResponseView {
  const reader = new WireReader(message, 'ModelInferResponse');
  let modelName = '';
  let modelVersion = '';
  let id = '';
  let parameters: Map<string, InferParameter> | undefined;
  const outputs: TensorHeader[] = [];
  const rawOutputContents: Buffer[] = [];
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
        if (outputs.length >= maxTensors) reader.fail(`more than ${maxTensors} outputs`);
        outputs.push(readTensorHeader(reader));
        break;
      case (6 << 3) | wire.bytes:
        if (rawOutputContents.length >= maxTensors) reader.fail(`more than ${maxTensors} raw_output_contents`);
        rawOutputContents.push(reader.bytes('raw_output_contents'));
        break;
      default:
        reader.skip(tag);
    }
  }
  return { modelName, modelVersion, id, parameters: parameters ?? noParameters, outputs, rawOutputContents };
}
