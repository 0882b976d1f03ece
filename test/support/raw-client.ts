import { Client, Metadata, credentials, status } from '@grpc/grpc-js';

/** What a call came to, in bytes. */
export interface RawOutcome {
  readonly status: string;
  readonly details: string;
  readonly responses: readonly Buffer[];
}

const keep = (bytes: Buffer) => bytes;

/** Sends recorded bytes as they are and gives back what came, undecoded. */
export class RawClient {
  readonly #client: Client;

  constructor(target: string) {
    this.#client = new Client(target, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** `path` as in `/inference.GRPCInferenceService/ModelInfer`. */
  unary(
    path: string,
    request: Buffer,
    metadata: Readonly<Record<string, string>> = {},
    deadlineMs = 30_000,
  ): Promise<RawOutcome> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        keep,
        keep,
        request,
        metadataOf(metadata),
        { deadline: Date.now() + deadlineMs },
        (error, response) => {
          if (error)
            resolve({ status: status[error.code] ?? String(error.code), details: error.details, responses: [] });
          else resolve({ status: 'OK', details: '', responses: [response ?? Buffer.alloc(0)] });
        },
      );
    });
  }

  /** Sends every request, half-closes, and collects all answers. */
  stream(
    path: string,
    requests: readonly Buffer[],
    metadata: Readonly<Record<string, string>> = {},
    deadlineMs = 30_000,
  ): Promise<RawOutcome> {
    return new Promise((resolve) => {
      const call = this.#client.makeBidiStreamRequest(path, keep, keep, metadataOf(metadata), {
        deadline: Date.now() + deadlineMs,
      });
      const responses: Buffer[] = [];
      call.on('data', (bytes: Buffer) => responses.push(bytes));
      call.on('error', () => undefined);
      call.on('status', ({ code, details }) => resolve({ status: status[code] ?? String(code), details, responses }));
      for (const request of requests) call.write(request);
      call.end();
    });
  }

  close(): void {
    this.#client.close();
  }
}

function metadataOf(entries: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}
