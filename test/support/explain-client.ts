import {
  Client,
  type ClientReadableStream,
  Metadata,
  type ServiceError,
  credentials,
  loadPackageDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { type Failure, failureOf } from './stock-client';
import { protoFolder } from './paths';

const definition = loadSync('shoal/explain/v1/explain.proto', {
  includeDirs: [protoFolder],
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  arrays: true,
});

interface Method {
  readonly path: string;
  readonly requestSerialize: (value: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => never;
}

const { service } = (
  loadPackageDefinition(definition) as unknown as {
    shoal: { explain: { v1: { Explainability: { service: Readonly<Record<string, Method>> } } } };
  }
).shoal.explain.v1.Explainability;

export interface Explanation {
  readonly id: string;
  readonly model_version: string;
  readonly method: string;
  readonly reason: string;
  readonly partial: boolean;
  readonly features: readonly { readonly name: string; readonly input: string; readonly elements: number }[];
  readonly outputs: readonly {
    readonly output: string;
    readonly index: number;
    readonly label: string;
    readonly values: readonly number[];
    readonly standard_errors: readonly number[];
    readonly base_value: number;
    readonly output_value: number;
    readonly additivity_gap: number;
    readonly interactions: readonly number[];
  }[];
  readonly exact: boolean;
  readonly converged: boolean;
  readonly stop_reason: string;
  readonly usage: { readonly evaluations: number; readonly rows: number; readonly requests: number };
  readonly link: { readonly function: string; readonly epsilon: number; readonly clamped: number };
  readonly background: {
    readonly name: string;
    readonly sha256: string;
    readonly rows: number;
    readonly source: string;
    readonly inputs: readonly string[];
    readonly model: string;
  };
  readonly warnings: readonly string[];
  readonly timings: { readonly total_ms: number };
  readonly quality: readonly Measure[];
}

export interface Measure {
  readonly name: string;
  readonly output: string;
  readonly index: number;
  readonly value: number;
  readonly standard_error: number;
  readonly at: readonly number[];
  readonly curve: readonly number[];
}

export interface ExplainOptions {
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** shoal.explain.v1 as users generate it from the proto, on grpc-js; it shares no code with the server. */
export class ExplainClient {
  readonly #client: Client;

  constructor(target: string, security = credentials.createInsecure()) {
    this.#client = new Client(target, security, { 'grpc.use_local_subchannel_pool': 1 });
  }

  call<Res>(name: string, request: object, options: ExplainOptions = {}): Promise<Res> {
    const method = methodOf(name);
    return new Promise<Res>((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadataOf(options),
        deadlineOf(options),
        (error: ServiceError | null, response?: Res) => (error ? reject(error) : resolve(response as Res)),
      );
      options.signal?.addEventListener('abort', () => call.cancel(), { once: true });
    });
  }

  explain(request: object, options?: ExplainOptions): Promise<Explanation> {
    return this.call('Explain', request, options);
  }

  /** The status and text of a call that must fail; `{ code: 'OK' }` when it does not. */
  async failure(name: string, request: object, options?: ExplainOptions): Promise<Failure> {
    try {
      await this.call(name, request, options);
      return { code: 'OK', details: '' };
    } catch (thrown) {
      return failureOf(thrown);
    }
  }

  /** All messages of ExplainStream. */
  stream(request: object, options: ExplainOptions = {}): Promise<Explanation[]> {
    const method = methodOf('ExplainStream');
    const answers: Explanation[] = [];
    const call: ClientReadableStream<Explanation> = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadataOf(options),
      deadlineOf(options),
    );
    options.signal?.addEventListener('abort', () => call.cancel(), { once: true });
    return new Promise((resolve, reject) => {
      call.on('data', (answer: Explanation) => answers.push(answer));
      call.on('error', reject);
      call.on('end', () => resolve(answers));
    });
  }

  close(): void {
    this.#client.close();
  }
}

function methodOf(name: string): Method {
  const method = service[name];
  if (!method) throw new Error(`no method ${name}`);
  return method;
}

function metadataOf({ metadata = {} }: ExplainOptions): Metadata {
  const made = new Metadata();
  for (const [key, value] of Object.entries(metadata)) made.set(key, value);
  return made;
}

function deadlineOf({ deadlineMs }: ExplainOptions) {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}
