import type { WantedOutput } from '@shoal/link';
import {
  type ModelSignature,
  type ResponseOutput,
  type TensorSpec,
  assembleInferResponse,
  classify,
} from '@shoal/protocol';
import type { OutputPart } from './scatter';

/**
 * Builds one member's whole serialised response from its parts of the computed outputs.
 * @throws ShoalError RESOURCE_EXHAUSTED when it is larger than a message may be; INVALID_ARGUMENT when an output of
 * this type cannot be classified.
 */
export type BuildResponse = (
  requestId: string,
  parts: readonly OutputPart[],
  wanted: readonly WantedOutput[],
) => Uint8Array;

/** The builder for one model version. `labels` are class labels by output name. */
export function responseBuilder(
  signature: ModelSignature,
  labels: Readonly<Record<string, readonly string[]>>,
  maxBytes: number,
): BuildResponse {
  const { model, version } = signature;
  const batches = signature.maxBatchSize > 0;
  return (id, parts, wanted) => {
    const outputs: ResponseOutput[] = [];
    for (const { index, shape, bytes } of parts) {
      const asked = wanted.find((output) => output.index === index);
      if (wanted.length > 0 && !asked) continue;
      const { name, datatype } = signature.outputs[index] as TensorSpec;
      if (asked && asked.classification > 0) {
        const classes = classify(datatype, bytes, shape, batches, asked.classification, labels[name]);
        outputs.push({ name, datatype: 'BYTES', shape: classes.shape, contents: classes.bytes });
      } else {
        outputs.push({ name, datatype, shape, contents: bytes });
      }
    }
    return assembleInferResponse({ model, version, id, outputs }, maxBytes);
  };
}
