import type { MethodDefinition } from '@grpc/grpc-js';
import { type Clock, systemClock, systemRandom } from '@shoal/core';
import { MemoryBudget } from '@shoal/http2';
import type {
  CallOptions,
  ClientStream,
  RpcClient,
  RpcClientOptions,
  UnaryCaller,
  UnaryCallerOptions,
  UnaryListener,
} from '../../client';
import type { Metadata } from '../../metadata';
import { clientCodec } from '../../method';
import { Deadlines } from '../wire/deadlines';
import { quarterOfMemory } from '../wire/quarter-of-memory';
import type { Deflation } from '../wire/compression';
import { MessagePool } from '../wire/message-pool';
import type { MessageRoom } from '../wire/message-reader';
import { appendMetadata } from '../wire/metadata-pairs';
import { BytesCaller } from './bytes-caller';
import { Channel } from './channel';
import type { CallHost, ClientCall } from './client-call';
import { PromisedCall } from './promised-call';
import { RequestHeads, TimeoutPairs } from './request-heads';
import { secureBy } from './secure';
import { clientLimits } from './settings';
import { NativeClientStream } from './stream-call';
import { parseTarget } from './target';

/** zlib's own. */
const compressionLevel = 6;
/** Memory of messages that their readers keep. */
const kept = { take: (length: number) => Buffer.allocUnsafe(length), give: () => undefined };

/** A gRPC client of one target on our own HTTP/2. */
export class NativeClient implements RpcClient, CallHost {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly timeouts = new TimeoutPairs();
  readonly maxBytes: number;
  readonly targetText: string;
  readonly #passthrough: boolean;
  readonly #heads: RequestHeads;
  readonly #channel: Channel;
  readonly #room: MessageRoom;
  readonly #recycling: MessageRoom;
  #active = 0;
  #closed = false;

  /** @throws ShoalError INVALID_ARGUMENT for a target or certificates that cannot be used */
  constructor(targetText: string, options: RpcClientOptions) {
    const target = parseTarget(targetText);
    const { clock = systemClock, random = systemRandom, connections = 1, keepaliveMs, tls } = options;
    this.clock = clock;
    this.targetText = targetText;
    this.deadlines = new Deadlines(clock);
    this.maxBytes = options.maxMessageBytes ?? Number.POSITIVE_INFINITY;
    this.#passthrough = options.passthrough ?? false;
    const memory = new MemoryBudget(quarterOfMemory());
    this.#room = { memory, pool: kept };
    this.#recycling = { memory, pool: new MessagePool() };
    const secure = tls && secureBy(tls, target);
    this.#heads = new RequestHeads(target, tls !== undefined, secure?.serverName);
    const dialling = { target, clock, random, limits: clientLimits(keepaliveMs), tls: secure };
    this.#channel = new Channel(dialling, connections);
  }

  unary<Req, Res>(method: MethodDefinition<Req, Res>, request: Req, options: CallOptions = {}): Promise<Res> {
    return new Promise((resolve, reject) => {
      const { encode, decode } = clientCodec(method, this.#passthrough);
      const { compression, headers } = options;
      new PromisedCall<Res>(
        this,
        this.#room,
        this.#heads.of(method.path, compression),
        pairsOf(headers),
        deflationOf(compression),
        encode(request),
        { decode, resolve, reject },
      ).start(options);
    });
  }

  stream<Req, Res>(method: MethodDefinition<Req, Res>, options: CallOptions = {}): ClientStream<Req, Res> {
    const { compression, headers } = options;
    const codec = clientCodec(method, this.#passthrough);
    const head = this.#heads.of(method.path, compression);
    const pairs = pairsOf(headers);
    const stream = new NativeClientStream<Req, Res>(this, this.#room, head, pairs, deflationOf(compression), codec);
    stream.start(options);
    return stream;
  }

  unaryCaller(path: string, listener: UnaryListener, options: UnaryCallerOptions = {}): UnaryCaller {
    const { compression, headers, timeoutMs } = options;
    return new BytesCaller({
      host: this,
      room: this.#recycling,
      head: this.#heads.of(path, compression),
      metadata: pairsOf(headers),
      deflation: deflationOf(compression),
      timeoutMs,
      listener,
    });
  }

  close(): void {
    this.#closed = true;
    this.#channel.close();
    this.#rest();
  }

  // ---- CallHost

  began(): void {
    this.#active += 1;
  }

  start(call: ClientCall): void {
    this.#channel.start(call);
  }

  ended(): void {
    this.#active -= 1;
    if (this.#closed) this.#rest();
  }

  #rest(): void {
    if (this.#active === 0) this.deadlines.stop();
  }
}

function deflationOf(encoding: 'gzip' | 'deflate' | undefined): Deflation | null {
  return encoding === undefined ? null : { encoding, level: compressionLevel };
}

function pairsOf(metadata: Metadata | undefined): string[] | null {
  if (metadata === undefined) return null;
  const pairs: string[] = [];
  appendMetadata(pairs, metadata);
  return pairs.length === 0 ? null : pairs;
}
