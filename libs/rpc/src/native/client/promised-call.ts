import { ShoalError } from '@shoal/core';
import type { PreparedHeaders } from '@shoal/http2';
import type { CallOptions } from '../../client';
import type { Deflation } from '../wire/compression';
import type { MessageRoom } from '../wire/message-reader';
import type { CallHost } from './client-call';
import { UnaryCall } from './unary-call';

/** Whom a promise tells. */
export interface Promised<Res> {
  readonly decode: (bytes: Buffer) => Res;
  readonly resolve: (response: Res) => void;
  readonly reject: (error: ShoalError) => void;
}

/** A unary call whose end is promised. */
export class PromisedCall<Res> extends UnaryCall {
  readonly #promised: Promised<Res>;

  constructor(
    host: CallHost,
    room: MessageRoom,
    head: PreparedHeaders,
    metadata: readonly string[] | null,
    deflation: Deflation | null,
    request: Buffer,
    promised: Promised<Res>,
  ) {
    super(host, room, head, metadata, deflation, request);
    this.#promised = promised;
  }

  start(options: CallOptions): void {
    this.begin(options, options.timeoutMs);
  }

  protected override take(length: number): Buffer {
    return Buffer.allocUnsafe(length);
  }

  protected override answered(response: Buffer): void {
    const { decode, resolve, reject } = this.#promised;
    let decoded: Res;
    try {
      decoded = decode(response);
    } catch (cause) {
      reject(new ShoalError('INTERNAL', 'the response cannot be decoded', { cause }));
      return;
    }
    resolve(decoded);
  }

  protected override failed(error: ShoalError): void {
    this.#promised.reject(error);
  }
}
