import type { ShoalError } from '@shoal/core';
import type { PreparedHeaders } from '@shoal/http2';
import type { UnaryCaller, UnaryListener } from '../../client';
import type { Deflation } from '../wire/compression';
import { minPooledBytes } from '../wire/message-pool';
import type { MessageRoom } from '../wire/message-reader';
import type { CallHost } from './client-call';
import { rethrowLater } from './rethrow-later';
import { UnaryCall } from './unary-call';

/** What the calls of a caller share. */
export interface CallerParts {
  readonly host: CallHost;
  readonly room: MessageRoom;
  readonly head: PreparedHeaders;
  readonly metadata: readonly string[] | null;
  readonly deflation: Deflation | null;
  readonly timeoutMs: number | undefined;
  readonly listener: UnaryListener;
}

const noOptions = {};

/** Unary calls in bytes. */
export class BytesCaller implements UnaryCaller {
  readonly #parts: CallerParts;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  call(request: Buffer, tag: number): void {
    new BytesCall(this.#parts, request, tag).start();
  }
}

class BytesCall extends UnaryCall {
  readonly #parts: CallerParts;
  readonly #tag: number;
  #begun = false;

  constructor(parts: CallerParts, request: Buffer, tag: number) {
    super(parts.host, parts.room, parts.head, parts.metadata, parts.deflation, request);
    this.#parts = parts;
    this.#tag = tag;
  }

  start(): void {
    this.begin(noOptions, this.#parts.timeoutMs);
    this.#begun = true;
  }

  protected override take(length: number): Buffer {
    return this.#parts.room.pool.take(length);
  }

  protected override answered(response: Buffer): void {
    const { listener, room } = this.#parts;
    try {
      listener.answered(this.#tag, response);
    } catch (thrown) {
      rethrowLater(thrown);
    }
    if (response.length >= minPooledBytes) room.pool.give(response);
  }

  protected override failed(error: ShoalError): void {
    // Whoever begins calls in answer to failures would never come to an end.
    if (!this.#begun) queueMicrotask(() => this.#parts.listener.failed(this.#tag, error));
    else {
      try {
        this.#parts.listener.failed(this.#tag, error);
      } catch (thrown) {
        rethrowLater(thrown);
      }
    }
  }
}
