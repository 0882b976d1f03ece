import type { CallContext, Handlers, StreamCall } from '@shoal/rpc';
import type { Caller } from '../access/caller';
import type { InferStreams } from '../infer/infer-streams';
import type { Inference } from '../infer/inference';
import { modelInfer } from '../infer/model-infer';

/** ModelInfer and ModelStreamInfer; their messages are bytes in both directions. */
export function inferHandlers(inference: Inference, streams: InferStreams): Handlers {
  return {
    ModelInfer(message: Buffer, call: CallContext, caller?: Caller) {
      return modelInfer(inference, message, call, caller);
    },
    ModelStreamInfer: (call: StreamCall<Buffer, Buffer>, caller?: Caller) => streams.handle(call, caller),
  };
}
