import { ShoalError, toShoalError } from '@shoal/core';
import { type InferRequestView, scanInferRequest } from '@shoal/protocol';
import type { CallContext } from '@shoal/rpc';
import type { Caller } from '../access/caller';
import type { Inference } from './inference';

/** Answers ModelInfer: a serialised ModelInferRequest in, a serialised ModelInferResponse out. */
export function modelInfer(
  inference: Inference,
  message: Buffer,
  call: CallContext,
  caller: Caller | undefined,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let view: InferRequestView | undefined;
    const fail = (error: ShoalError) => {
      inference.note(view, error);
      reject(error);
    };
    try {
      view = scanInferRequest(message);
      const origin = { unary: true, message, deadline: call.deadline, headers: call, caller };
      const infer = inference.start(view, origin, {
        answered(response, done) {
          if (done && response.buffer !== message.buffer) call.recycle(message);
          resolve(response);
        },
        failed: fail,
        allocate: (length) => call.allocate(length),
      });
      call.onCancel(() => {
        infer.cancel();
        reject(new ShoalError('CANCELLED', 'the client does not wait for the answer any more'));
      });
    } catch (thrown) {
      const error = toShoalError(thrown);
      if (error !== thrown) reject(thrown as Error);
      else fail(error);
    }
  });
}
