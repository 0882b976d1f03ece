import { type ClientDuplexStream, status as grpcStatus } from '@grpc/grpc-js';
import type { ShoalError } from '@shoal/core';
import type { ClientStream } from '../client';
import { highWaterBytes } from '../defaults';
import { errorFromStatus } from '../status';

/** A grpc-js stream as our callers see it. */
export function openStream<Req, Res>(
  call: ClientDuplexStream<Buffer, Res>,
  serialize: (message: Req) => Buffer,
  signal: AbortSignal | undefined,
): ClientStream<Req, Res> {
  let buffered = 0;
  let full = false;
  let drained: (() => void) | undefined;
  let receiving = false;
  let over = false;
  let outcome: { error?: ShoalError } | undefined;
  let onEnded: ((error?: ShoalError) => void) | undefined;

  const cancel = () => call.cancel();
  const finish = (error?: ShoalError) => {
    if (outcome) return;
    over = true;
    outcome = error ? { error } : {};
    signal?.removeEventListener('abort', cancel);
    onEnded?.(error);
  };
  call.on('error', () => undefined); // The status says the same.
  call.on('status', (status) => {
    // A failure is told at once; success only after the last message has been received.
    if (status.code !== grpcStatus.OK) return finish(errorFromStatus(status.code, status.details));
    over = true;
    if (call.readableEnded) finish();
    else call.once('end', () => finish());
    if (!receiving) call.resume();
  });
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  return {
    onMessage(receive) {
      receiving = true;
      call.on('data', (message: Res) => {
        if (!outcome) receive(message);
      });
    },
    onEnd(ended) {
      onEnded = ended;
      if (outcome) ended(outcome.error);
    },
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    write(message) {
      if (over) return false;
      const bytes = serialize(message);
      buffered += bytes.byteLength;
      call.write(bytes, () => {
        buffered -= bytes.byteLength;
        if (!full || buffered >= highWaterBytes) return;
        full = false;
        drained?.();
      });
      full = buffered >= highWaterBytes;
      return !full;
    },
    onDrain(listener) {
      drained = listener;
    },
    get bufferedBytes() {
      return over ? 0 : buffered;
    },
    end: () => void call.end(),
    cancel,
  };
}
