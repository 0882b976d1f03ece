import {
  Client,
  type ClientDuplexStream,
  Metadata,
  type ServiceError,
  credentials,
  status as statusNumbers,
} from '@grpc/grpc-js';
import { systemClock } from '@shoal/core';
import { loadService } from '@shoal/rpc';

/** How a call ended. */
export interface Outcome<Res> {
  /** Name of the gRPC status. */
  readonly status: string;
  readonly details: string;
  readonly response: Res | undefined;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** How a stream went. */
export interface StreamOutcome {
  readonly status: string;
  readonly details: string;
  readonly responses: readonly Record<string, unknown>[];
}

const services = {
  infer: loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService'),
  traffic: loadService('shoal/control/v1/traffic.proto', 'shoal.control.v1.TrafficControl'),
  health: loadService('grpc/health/v1/health.proto', 'grpc.health.v1.Health'),
};

/** A grpc-js client as any user would write it, speaking the public API. */
export class StockClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  close(): void {
    this.#client.close();
  }

  /** Calls a method with a message, or with the bytes of one. */
  call<Res = Record<string, unknown>>(
    name: string,
    request: object | Buffer,
    options: { deadlineMs?: number; signal?: AbortSignal; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Outcome<Res>> {
    const method = services.infer[name] ?? services.traffic[name] ?? services.health[name];
    const path = method?.path ?? `/inference.GRPCInferenceService/${name}`;
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        path,
        (value: object | Buffer) => (Buffer.isBuffer(value) ? value : (method?.requestSerialize(value) as Buffer)),
        (bytes: Buffer) => method?.responseDeserialize(bytes) as Res,
        request,
        metadataOf(options.headers),
        options.deadlineMs === undefined ? {} : { deadline: systemClock.epochMs() + options.deadlineMs },
        (error: ServiceError | null, response?: Res) =>
          resolve({
            status: statusNumbers[error?.code ?? 0] ?? 'OK',
            details: error?.details ?? '',
            response,
            trailers: error?.metadata.getMap() ?? {},
          }),
      );
      options.signal?.addEventListener('abort', () => call.cancel());
    });
  }

  /** Asks the server's reflection something; answers stay bytes. */
  reflect(headers: Readonly<Record<string, string>>): Promise<StreamOutcome> {
    const stream = new OpenStream(
      this.#client.makeBidiStreamRequest(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        (value: object | Buffer) => value as Buffer,
        (bytes: Buffer) => ({ bytes }) as Record<string, unknown>,
        metadataOf(headers),
      ),
    );
    // ServerReflectionRequest.list_services = "".
    stream.send(Buffer.of(0x3a, 0));
    stream.halfClose();
    return stream.ended;
  }

  /** Opens ModelStreamInfer; messages are bytes out and objects in. */
  openStream(headers: Readonly<Record<string, string>> = {}): OpenStream {
    const method = services.infer['ModelStreamInfer'];
    return new OpenStream(
      this.#client.makeBidiStreamRequest(
        method?.path as string,
        (value: object | Buffer) => (Buffer.isBuffer(value) ? value : (method?.requestSerialize(value) as Buffer)),
        (bytes: Buffer) => method?.responseDeserialize(bytes) as Record<string, unknown>,
        metadataOf(headers),
      ),
    );
  }

  /** Sends all, half-closes and waits for the end. */
  stream(requests: readonly (object | Buffer)[], headers?: Readonly<Record<string, string>>): Promise<StreamOutcome> {
    const stream = this.openStream(headers);
    for (const request of requests) stream.send(request);
    stream.halfClose();
    return stream.ended;
  }
}

function metadataOf(headers: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return metadata;
}

/** A stream that a test drives by hand. */
export class OpenStream {
  readonly responses: Record<string, unknown>[] = [];
  readonly ended: Promise<StreamOutcome>;
  readonly #call: ClientDuplexStream<object | Buffer, Record<string, unknown>>;

  constructor(call: ClientDuplexStream<object | Buffer, Record<string, unknown>>) {
    this.#call = call;
    this.ended = new Promise((resolve) => {
      call.on('data', (message: Record<string, unknown>) => this.responses.push(message));
      // The status says the same.
      call.on('error', () => undefined);
      call.on('status', ({ code, details }) =>
        resolve({ status: statusNumbers[code] ?? '', details, responses: this.responses }),
      );
    });
  }

  send(request: object | Buffer): void {
    this.#call.write(request);
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }
}
