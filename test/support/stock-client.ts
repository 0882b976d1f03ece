import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  Metadata,
  type ServiceError,
  credentials,
  status,
} from '@grpc/grpc-js';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { GRPCInferenceServiceDefinition } from '../../libs/protocol/src/generated/inference/GRPCInferenceService';
import type { ModelInferRequest } from '../../libs/protocol/src/generated/inference/ModelInferRequest';
import type { ModelInferResponse__Output } from '../../libs/protocol/src/generated/inference/ModelInferResponse';
import type { ModelStreamInferResponse__Output } from '../../libs/protocol/src/generated/inference/ModelStreamInferResponse';
import { protoFolder } from './paths';

export type {
  ModelInferRequest,
  ModelInferResponse__Output as ModelInferResponse,
  ModelStreamInferResponse__Output as ModelStreamInferResponse,
};

type Methods = GRPCInferenceServiceDefinition;
export type MethodName = Exclude<keyof Methods, 'ModelStreamInfer'>;
export type RequestOf<M extends MethodName> = Methods[M]['requestSerialize'] extends (value: infer R) => Buffer
  ? R
  : never;
export type ResponseOf<M extends MethodName> = ReturnType<Methods[M]['responseDeserialize']>;

const packageDefinition = loadSync(['inference/grpc_service.proto', 'grpc/health/v1/health.proto'], {
  includeDirs: [protoFolder],
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  arrays: true,
});

// The shape of what grpc-js makes of a loaded service is not typed by it.
const loaded = loadPackageDefinition(packageDefinition) as unknown as {
  inference: { GRPCInferenceService: { service: Methods } };
  grpc: { health: { v1: { Health: { service: Record<'Check' | 'Watch', Methods[MethodName]> } } } };
};
const service = loaded.inference.GRPCInferenceService.service;
const health = loaded.grpc.health.v1.Health.service;

export interface StockCallOptions {
  /** Ends the call with DEADLINE_EXCEEDED so many ms from now; 60 s unless told. */
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Aborting it cancels the call. */
  readonly signal?: AbortSignal;
}

/** What came of a call that failed. */
export interface Failure {
  readonly code: string;
  readonly details: string;
}

/** A client as users generate it from the protos, on grpc-js; it shares no code with the server. */
export class StockClient {
  readonly #client: Client;

  /** @param options Of the channel, beyond what all have. */
  constructor(
    target: string,
    security: ChannelCredentials = credentials.createInsecure(),
    options: ChannelOptions = {},
  ) {
    this.#client = new Client(target, security, {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      // A connection of its own, also where several clients in one process talk to one server.
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    });
  }

  call<M extends MethodName>(method: M, request: RequestOf<M>, options: StockCallOptions = {}): Promise<ResponseOf<M>> {
    return this.#unary(service[method] as unknown as Codec<RequestOf<M>, ResponseOf<M>>, request, options);
  }

  infer(request: ModelInferRequest, options: StockCallOptions = {}): Promise<ModelInferResponse__Output> {
    return this.call('ModelInfer', request, options);
  }

  /** The status and text of a call that must fail; `{ code: 'OK' }` when it does not. */
  async failure<M extends MethodName>(
    method: M,
    request: RequestOf<M>,
    options: StockCallOptions = {},
  ): Promise<Failure> {
    try {
      await this.call(method, request, options);
      return { code: 'OK', details: '' };
    } catch (thrown) {
      return failureOf(thrown);
    }
  }

  check(name = ''): Promise<{ status: string }> {
    return this.#unary(
      health.Check as unknown as Codec<{ service: string }, { status: string }>,
      { service: name },
      {},
    );
  }

  /** Calls back with each status; returns how to end the watch. */
  watch(name: string, onStatus: (status: string) => void): () => void {
    const codec = health.Watch as unknown as Codec<{ service: string }, { status: string }>;
    const call = this.#client.makeServerStreamRequest(codec.path, codec.requestSerialize, codec.responseDeserialize, {
      service: name,
    });
    call.on('data', (answer: { status: string }) => onStatus(answer.status));
    call.on('error', () => onStatus('ENDED'));
    call.on('end', () => onStatus('ENDED'));
    return () => call.cancel();
  }

  stream(options: StockCallOptions = {}): InferStream {
    const codec = service.ModelStreamInfer;
    return new InferStream(
      this.#client.makeBidiStreamRequest(
        codec.path,
        codec.requestSerialize,
        codec.responseDeserialize,
        metadataOf(options),
        callOptionsOf(options),
      ),
    );
  }

  close(): void {
    this.#client.close();
  }

  #unary<Request, Response>(
    codec: Codec<Request, Response>,
    request: Request,
    options: StockCallOptions,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        codec.path,
        codec.requestSerialize,
        codec.responseDeserialize,
        request,
        metadataOf(options),
        callOptionsOf(options),
        (error, response) => {
          options.signal?.removeEventListener('abort', cancel);
          if (error) reject(error);
          else resolve(response as Response);
        },
      );
      function cancel() {
        call.cancel();
      }
      options.signal?.addEventListener('abort', cancel, { once: true });
    });
  }
}

interface Codec<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** One ModelStreamInfer call, whose answers are collected as they come. */
export class InferStream {
  readonly answers: ModelStreamInferResponse__Output[] = [];
  /** The status that ended the stream. */
  readonly ended: Promise<Failure>;
  readonly #call: ClientDuplexStream<ModelInferRequest, ModelStreamInferResponse__Output>;

  constructor(call: ClientDuplexStream<ModelInferRequest, ModelStreamInferResponse__Output>) {
    this.#call = call;
    call.on('data', (answer: ModelStreamInferResponse__Output) => this.answers.push(answer));
    call.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      call.on('status', ({ code, details }) => resolve({ code: status[code] ?? String(code), details }));
    });
  }

  send(request: ModelInferRequest): void {
    this.#call.write(request);
  }

  /** Says that no more requests follow; resolves with the stream's status. */
  finish(): Promise<Failure> {
    this.#call.end();
    return this.ended;
  }

  cancel(): void {
    this.#call.cancel();
  }
}

/** Status name and text of an error that grpc-js gave. */
export function failureOf(thrown: unknown): Failure {
  const { code, details } = thrown as ServiceError;
  if (typeof code !== 'number') throw thrown;
  return { code: status[code] ?? String(code), details };
}

function metadataOf({ metadata = {} }: StockCallOptions): Metadata {
  const made = new Metadata();
  for (const [key, value] of Object.entries(metadata)) made.set(key, value);
  return made;
}

function callOptionsOf({ deadlineMs = 60_000 }: StockCallOptions): CallOptions {
  return { deadline: Date.now() + deadlineMs };
}
