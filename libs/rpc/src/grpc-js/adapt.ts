import type {
  MethodDefinition,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedHandleCall,
  sendUnaryData,
} from '@grpc/grpc-js';
import { type Clock, type ErrorCode, type ShoalError, statusNumbers, toShoalError } from '@shoal/core';
import type { MethodCodec } from '../method';
import type { CallContext, CallMeter, Handlers, ServerStreamHandler, StreamHandler, UnaryHandler } from '../server';
import { isPromise } from '../promise';
import { statusMessage } from '../status';
import { GrpcJsCallContext } from './call-context';
import { GrpcJsStreamCall, type Outgoing } from './stream-call';

/** A call that runs, as the server's drain sees it. */
export interface RunningCall {
  /** Ends it with this status and tells its handler that it is cancelled. */
  abandon(error: ShoalError): void;
}

/** What the adapters need of their server. */
export interface AdapterContext {
  readonly clock: Clock;
  /** Told of what a handler threw that is no ShoalError. */
  readonly report: (thrown: unknown, path: string) => void;
  readonly running: Set<RunningCall>;
  /** Of the method. */
  readonly meter: CallMeter | undefined;
}

type Handler = Handlers[string];

/** A handler in the form that grpc-js calls, for messages that grpc-js leaves as bytes. */
export function adapt(
  method: MethodDefinition<unknown, unknown>,
  handler: Handler,
  codec: MethodCodec,
  context: AdapterContext,
): UntypedHandleCall {
  const { requestStream, responseStream } = method;
  if (requestStream && responseStream) return adaptBidi(handler as StreamHandler<unknown, unknown>, codec, context);
  if (requestStream) return adaptClientStream(handler as StreamHandler<unknown, unknown>, codec, context);
  if (responseStream) return adaptServerStream(handler as ServerStreamHandler<unknown, unknown>, codec, context);
  return adaptUnary(handler as UnaryHandler<unknown, unknown>, codec, context);
}

function adaptUnary(handler: UnaryHandler<unknown, unknown>, codec: MethodCodec, context: AdapterContext) {
  return (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    const shown = new RunningUnary(call, context, answer);
    const succeed = (message: unknown) => shown.attempt(() => shown.succeed(codec.encode(message)));
    shown.attempt(() => {
      const result: unknown = handler(codec.decode(call.request), shown);
      if (!isPromise(result)) shown.succeed(codec.encode(result));
      else result.then(succeed, (thrown: unknown) => shown.fail(thrown));
    });
  };
}

class RunningUnary extends GrpcJsCallContext implements CallContext, RunningCall {
  readonly #context: AdapterContext;
  readonly #answer: sendUnaryData<Buffer>;

  constructor(call: ServerUnaryCall<Buffer, Buffer>, context: AdapterContext, answer: sendUnaryData<Buffer>) {
    super(call, context.clock, context.meter);
    this.#context = context;
    this.#answer = answer;
    context.running.add(this);
  }

  attempt(handle: () => void): void {
    try {
      handle();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  succeed(bytes: Buffer): void {
    if (!this.#settle('OK')) return;
    this.sendHeaders();
    this.#answer(null, bytes, this.trailers);
  }

  fail(thrown: unknown): void {
    const error = toShoalError(thrown);
    if (error !== thrown) this.#context.report(thrown, this.path);
    this.end(error);
  }

  end(error: ShoalError): void {
    if (!this.#settle(error.code)) return;
    this.sendHeaders();
    this.#answer({ code: statusNumbers[error.code], details: statusMessage(error.message) }, null, this.trailers);
  }

  abandon(error: ShoalError): void {
    if (this.isOver) return;
    this.end(error);
    this.tellCancelled();
  }

  override cancel(): void {
    this.#context.running.delete(this);
    super.cancel();
  }

  #settle(code: ErrorCode | 'OK'): boolean {
    this.#context.running.delete(this);
    return this.finish(code);
  }
}

function adaptBidi(handler: StreamHandler<unknown, unknown>, codec: MethodCodec, context: AdapterContext) {
  return (call: ServerDuplexStream<Buffer, Buffer>) => {
    const shown = streamCall(call, codec, context, call, responses(call));
    shown.run(() => handler(shown));
  };
}

function adaptServerStream(
  handler: ServerStreamHandler<unknown, unknown>,
  codec: MethodCodec,
  context: AdapterContext,
) {
  return (call: ServerWritableStream<Buffer, Buffer>) => {
    const shown = streamCall(call, codec, context, undefined, responses(call));
    shown.run(() => handler(codec.decode(call.request), shown as never));
  };
}

/** A client stream's handler writes its one response and ends. */
function adaptClientStream(handler: StreamHandler<unknown, unknown>, codec: MethodCodec, context: AdapterContext) {
  return (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    let response: Buffer | undefined;
    const outgoing: Outgoing = {
      write(bytes, taken) {
        response = bytes;
        taken();
      },
      end(error, trailers) {
        const nothing = { code: statusNumbers.INTERNAL, details: 'internal error' };
        if (!error && response) answer(null, response, trailers);
        else answer(error ?? nothing, null, trailers);
      },
    };
    const shown = streamCall(call, codec, context, call, outgoing);
    shown.run(() => handler(shown));
  };
}

function responses(call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>): Outgoing {
  return {
    write: (bytes, taken) => void call.write(bytes, taken),
    end(error, trailers) {
      // grpc-js takes a final status from the 'error' event; it is sent after what was written.
      if (error) call.emit('error', { ...error, metadata: trailers });
      else call.end(trailers);
    },
  };
}

function streamCall(
  call:
    | ServerDuplexStream<Buffer, Buffer>
    | ServerWritableStream<Buffer, Buffer>
    | ServerReadableStream<Buffer, Buffer>,
  codec: MethodCodec,
  context: AdapterContext,
  incoming: ServerDuplexStream<Buffer, Buffer> | ServerReadableStream<Buffer, Buffer> | undefined,
  outgoing: Outgoing,
): GrpcJsStreamCall {
  const shown: GrpcJsStreamCall = new GrpcJsStreamCall(call, {
    clock: context.clock,
    meter: context.meter,
    codec,
    incoming,
    outgoing,
    report: (thrown) => context.report(thrown, call.getPath()),
    ended: () => context.running.delete(shown),
  });
  context.running.add(shown);
  return shown;
}
