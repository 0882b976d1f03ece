import { type Clock, type ErrorCode, ShoalError, toShoalError } from '@shoal/core';
import { type InferResponseView, scanInferResponse, scanStreamResponse } from '@shoal/protocol';
import {
  type CallMeter,
  type ClientStream,
  type Metadata,
  type MethodDefinition,
  type RpcClient,
  loadService,
} from '@shoal/rpc';

const service = 'inference.GRPCInferenceService';
const methods = loadService('inference/grpc_service.proto', service);
const streamInfer = methods['ModelStreamInfer'] as unknown as MethodDefinition<Buffer, Buffer>;
const modelInfer = methods['ModelInfer'] as unknown as MethodDefinition<Buffer, Buffer>;

/** Of the methods that are called. */
export const predictionPaths = { single: modelInfer.path, stream: streamInfer.path } as const;

/** How the calls end that predictions are asked for with. */
export interface PredictionMeters {
  readonly single: CallMeter;
  readonly stream: CallMeter;
}

export interface StreamParts {
  /** A passthrough client of a router. */
  readonly client: RpcClient;
  readonly clock: Clock;
  /** Who asks. */
  readonly headers: Metadata;
  /** Undefined: nothing is measured. */
  readonly meters?: PredictionMeters | undefined;
}

interface Waiting {
  readonly message: Buffer;
  readonly sentAt: number;
  readonly answered: (view: InferResponseView, roundTripMs: number) => void;
}

/** One ModelStreamInfer call: requests are answered in their order. The first failure ends it. */
export class PredictionStream {
  readonly #parts: StreamParts;
  readonly #failed: (error: ShoalError) => void;
  readonly #waiting: Waiting[] = [];
  readonly #retry = new AbortController();
  #stream: ClientStream<Buffer, Buffer> | undefined;
  #openedAt = 0;
  #over = false;

  /** @param failed called once, with what the model or the server says; not after `cancel` */
  constructor(parts: StreamParts, failed: (error: ShoalError) => void) {
    this.#parts = parts;
    this.#failed = failed;
  }

  get outstanding(): number {
    return this.#waiting.length;
  }

  /** @param message a ModelInferRequest; it must not change any more */
  ask(message: Buffer, answered: Waiting['answered']): void {
    if (this.#over) return;
    this.#stream ??= this.#open();
    this.#waiting.push({ message, sentAt: this.#parts.clock.now(), answered });
    this.#stream.write(message);
  }

  /** Nobody waits any more: what is outstanding is given up at the server too. */
  cancel(): void {
    this.#retry.abort();
    if (this.#over) return;
    this.#finish(this.#waiting.length === 0 ? 'OK' : 'CANCELLED');
  }

  #finish(code: ErrorCode | 'OK'): void {
    this.#over = true;
    this.#waiting.length = 0;
    if (!this.#stream) return;
    this.#parts.meters?.stream.ended(code, this.#parts.clock.now() - this.#openedAt);
    this.#stream.cancel();
  }

  #open(): ClientStream<Buffer, Buffer> {
    const { client, headers, clock } = this.#parts;
    this.#openedAt = clock.now();
    const stream = client.stream(streamInfer, { headers: { ...headers, triton_grpc_error: 'true' } });
    stream.onMessage((message) => this.#received(message));
    stream.onEnd((error) => {
      this.#fail(error ?? new ShoalError('UNAVAILABLE', 'the server ended the stream of predictions'));
    });
    return stream;
  }

  #received(message: Buffer): void {
    if (this.#over) return;
    const first = this.#waiting[0];
    if (!first) return;
    let view: InferResponseView;
    try {
      const { error, response } = scanStreamResponse(message);
      if (error !== '' || !response) {
        void this.#learn(first.message, error);
        return;
      }
      this.#waiting.shift();
      view = scanInferResponse(response);
      first.answered(view, this.#parts.clock.now() - first.sentAt);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** A refusal on a stream is a sentence without a status: the same request alone has one. */
  async #learn(message: Buffer, sentence: string): Promise<void> {
    this.#finish('OK');
    let error = new ShoalError('FAILED_PRECONDITION', sentence);
    try {
      await predictOnce(this.#parts, message, this.#retry.signal);
    } catch (thrown) {
      if (this.#retry.signal.aborted) return;
      error = thrown as ShoalError;
    }
    this.#failed(error);
  }

  #fail(thrown: unknown): void {
    if (this.#over) return;
    const error = toShoalError(thrown);
    this.#finish(error.code);
    this.#failed(error);
  }
}

/** A single prediction. @throws ShoalError with the status that the server sent */
export async function predictOnce(
  { client, clock, headers, meters }: StreamParts,
  message: Buffer,
  signal: AbortSignal,
): Promise<InferResponseView> {
  const startedAt = clock.now();
  try {
    const answer = await client.unary(modelInfer, message, { headers, signal, timeoutMs: singleTimeoutMs });
    meters?.single.ended('OK', clock.now() - startedAt);
    return scanInferResponse(answer);
  } catch (thrown) {
    meters?.single.ended(toShoalError(thrown).code, clock.now() - startedAt);
    throw thrown;
  }
}

/** A model that takes longer for one row cannot be explained. */
const singleTimeoutMs = 120_000;
