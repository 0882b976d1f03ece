import { WireReader, wire } from './wire-reader';

/** A serialised inference.ModelStreamInferResponse taken apart. */
export interface StreamResponseView {
  /** '' = none. */
  readonly error: string;
  /** A serialised ModelInferResponse: a view into the message. Beside an error it says which request failed. */
  readonly response: Buffer | undefined;
}

/** Takes a message of ModelStreamInfer apart; the answer in it stays as it is. Throws as `scanInferRequest` does. */
export function scanStreamResponse(message: Buffer): StreamResponseView {
  const reader = new WireReader(message, 'ModelStreamInferResponse');
  let error = '';
  let response: Buffer | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | wire.bytes)) error = reader.string('error_message');
    else if (tag === ((2 << 3) | wire.bytes)) response = reader.bytes('infer_response');
    else reader.skip(tag);
  }
  return { error, response };
}
