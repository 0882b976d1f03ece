import {
  type CheckedRequest,
  type InferParameter,
  type ModelSignature,
  assembleInferResponse,
  errorTexts,
  scanInferResponse,
} from '@shoal/protocol';
import type { RegionUse } from './regions';

const nothing = new Uint8Array(0);

const regionKey = 'shared_memory_region';

/**
 * Writes the outputs that a client wants in shared memory to their places, and gives back the response without their
 * bytes. Those whose response says where they are were written by the runner.
 * @throws ShoalError INTERNAL when a place is too small; INVALID_ARGUMENT when the client's region has shrunk.
 */
export function writeOutputs(
  response: Buffer,
  request: CheckedRequest,
  signature: ModelSignature,
  regions: RegionUse,
): Buffer {
  const places = new Map(request.outputs.map((output) => [signature.outputs[output.index]?.name, output.sharedMemory]));
  const view = scanInferResponse(response);
  let written = false;
  const outputs = view.outputs.map((output, i) => {
    const contents = view.rawOutputContents[i] ?? nothing;
    const place = places.get(output.name);
    if (!place || output.parameters.has(regionKey)) return { ...output, contents };
    if (contents.length > place.byteSize) {
      throw errorTexts.sharedMemoryTooSmall(output.name, place.byteSize, contents.length);
    }
    regions.write(place, contents);
    written = true;
    const parameters = new Map<string, InferParameter>(output.parameters);
    parameters.set(regionKey, { kind: 'string', value: place.region });
    parameters.set('shared_memory_byte_size', { kind: 'int64', value: contents.length });
    if (place.offset > 0) parameters.set('shared_memory_offset', { kind: 'int64', value: place.offset });
    return { ...output, parameters, contents: nothing };
  });
  if (!written) return response;
  return assembleInferResponse({
    model: view.modelName,
    version: view.modelVersion,
    id: view.id,
    parameters: view.parameters,
    outputs,
  });
}
