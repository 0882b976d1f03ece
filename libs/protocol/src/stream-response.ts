import type { InferParameters } from './parameters';
import { WireWriter, fieldSize, parametersSize, stringFieldSize, varintSize } from './wire-writer';

/** The parameter that every model response on a stream carries: is it the last one of its request? */
function finalResponse(value: boolean): InferParameters {
  return new Map([['triton_final_response', { kind: 'bool', value }]]);
}

/** `triton_final_response` true: all that a model that is not decoupled ever says. */
export const finalResponseParameters: InferParameters = finalResponse(true);
/** `triton_final_response` false: more responses to the request follow. */
export const notFinalResponseParameters: InferParameters = finalResponse(false);

/**
 * A ModelStreamInferResponse around a serialised ModelInferResponse, with `parameters` added to it: map entries may
 * stand anywhere in a message, so they are put behind it, and the response itself is copied once, never decoded.
 */
export function wrapStreamResponse(
  response: Uint8Array,
  parameters: InferParameters = finalResponseParameters,
): Buffer {
  const inner = response.length + parametersSize(parameters);
  const writer = new WireWriter(Buffer.allocUnsafe(1 + varintSize(inner) + inner));
  writer.head(2, inner);
  writer.bytes(response);
  writer.parameters(4, parameters);
  return writer.buffer;
}

/** A failed request on a stream, which goes on. */
export interface StreamFailure {
  readonly message: string;
  /** The request's id. */
  readonly id: string;
  /** Set when the request failed in the model: its name … */
  readonly model?: string;
  /** … and that nothing more will follow. */
  readonly finalResponse?: boolean;
}

/** The serialised ModelStreamInferResponse that tells of a failure in-band. */
export function streamError(failure: StreamFailure): Buffer {
  const { message, id, model = '' } = failure;
  const parameters =
    failure.finalResponse === undefined
      ? undefined
      : failure.finalResponse
        ? finalResponseParameters
        : notFinalResponseParameters;
  const inner = stringFieldSize(model) + stringFieldSize(id) + parametersSize(parameters);
  const writer = new WireWriter(Buffer.allocUnsafe(stringFieldSize(message) + fieldSize(inner)));
  writer.optionalString(1, message);
  writer.head(2, inner);
  writer.optionalString(1, model);
  writer.optionalString(3, id);
  writer.parameters(4, parameters);
  return writer.buffer;
}

/** The empty last response that ends a request that asked for `triton_enable_empty_final_response`. */
export function emptyFinalResponse(model: string, id: string): Buffer {
  const inner = stringFieldSize(model) + stringFieldSize(id) + parametersSize(finalResponseParameters);
  const writer = new WireWriter(Buffer.allocUnsafe(fieldSize(inner)));
  writer.head(2, inner);
  writer.optionalString(1, model);
  writer.optionalString(3, id);
  writer.parameters(4, finalResponseParameters);
  return writer.buffer;
}
