import { ShoalError, toShoalError } from '@shoal/core';
import { type InferRequestView, scanInferRequest } from '@shoal/protocol';
import type { CallContext } from '@shoal/rpc';
import type { Caller } from '../access/caller';
import type { RequestTrace } from '../tracing/request-trace';
import type { Inference } from './inference';
import type { RequestLine } from './request-log';

/** Answers ModelInfer: a serialised ModelInferRequest in, a serialised ModelInferResponse out. */
export function modelInfer(
  inference: Inference,
  message: Buffer,
  call: CallContext,
  caller: Caller | undefined,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let view: InferRequestView | undefined;
    let trace: RequestTrace | undefined;
    let line: RequestLine | undefined;
    const fail = (error: ShoalError) => {
      inference.note(view, error, trace);
      trace?.failed(error);
      line?.failed(error);
      if (error.retryMs !== undefined) call.setTrailers({ 'grpc-retry-pushback-ms': String(Math.ceil(error.retryMs)) });
      reject(error);
    };
    try {
      const seen = (view = scanInferRequest(message));
      trace = inference.traces?.begin('unary', call, seen);
      line = inference.log.begin('ModelInfer', seen, caller, trace?.context);
      const origin = { unary: true, message, deadline: call.deadline, headers: call, caller, trace, line };
      const infer = inference.start(seen, origin, {
        answered(response, done) {
          if (trace) tellAnswered(trace);
          line?.answered();
          if (done && response.buffer !== message.buffer) call.recycle(message);
          resolve(response);
        },
        failed: fail,
        allocate: (length) => call.allocate(length),
      });
      call.onCancel(() => {
        infer.cancel();
        reject(new ShoalError('CANCELLED', 'the client does not wait for the answer any more'));
        trace?.abandoned(call.deadline);
        line?.abandoned(call.deadline);
      });
    } catch (thrown) {
      const error = toShoalError(thrown);
      if (!view) {
        trace = inference.traces?.begin('unary', call, undefined);
        line = inference.log.begin('ModelInfer', undefined, caller, trace?.context);
      }
      if (error === thrown) fail(error);
      else {
        reject(thrown as Error);
        trace?.failed(error);
        line?.failed(error);
      }
    }
  });
}

/** The carrier takes the response in a microtask that comes before those that are asked for from now on. */
function tellAnswered(trace: RequestTrace): void {
  trace.completed();
  trace.sending();
  queueMicrotask(() => trace.sent());
}
