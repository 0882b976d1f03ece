import type { Link } from './link';
import type { Hello, LinkMessage } from './messages';
import { releaseMessage } from './release-message';

/** What a carrier does for a link's end. */
export interface LinkOutput {
  send(message: LinkMessage): void;
  bufferedBytes(): number;
  /** As `Link.sharesMemory`; absent = no. */
  sharesMemory?(): boolean;
  /** Sends what is queued, then ends; the carrier calls `ended` when that is done. */
  close(): void;
  /** Called when there is a receiver: until then the carrier may hold messages back. */
  receiving?(): void;
}

/**
 * The half of a link that is the same on every carrier: holds what arrives until somebody receives, delivers it in
 * order and never from within a call of the owner's, and tells of the end once, after the last message.
 */
export class LinkEnd implements Link {
  readonly peer: Hello;
  readonly #output: LinkOutput;
  readonly #onError: (thrown: unknown) => void;
  #inbox: LinkMessage[] = [];
  #receive: ((message: LinkMessage) => void) | undefined;
  #closedListener: (() => void) | undefined;
  #closers: (() => void)[] = [];
  #pumping = false;
  #closing = false;
  #ended = false;
  #told = false;

  /** @param onError Hears what the receiver threw; the messages after that one are delivered all the same. */
  constructor(peer: Hello, output: LinkOutput, onError: (thrown: unknown) => void) {
    this.peer = peer;
    this.#output = output;
    this.#onError = onError;
  }

  get bufferedBytes(): number {
    return this.#ended ? 0 : this.#output.bufferedBytes();
  }

  get sharesMemory(): boolean {
    return !this.#ended && (this.#output.sharesMemory?.() ?? false);
  }

  send(message: LinkMessage): void {
    if (!this.#closing && !this.#ended) this.#output.send(message);
  }

  onMessage(receive: (message: LinkMessage) => void): void {
    this.#receive = receive;
    if (!this.#ended) this.#output.receiving?.();
    this.#wake();
  }

  onClose(closed: () => void): void {
    this.#closedListener = closed;
    this.#wake();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closers.push(resolve);
      if (!this.#closing && !this.#ended) {
        this.#closing = true;
        this.#output.close();
      }
      this.#wake();
    });
  }

  /** The carrier's: a message has arrived. */
  arrived(message: LinkMessage): void {
    if (this.#ended) {
      releaseMessage(message);
      return;
    }
    this.#inbox.push(message);
    this.#wake();
  }

  /** The carrier's: nothing more will arrive, and nothing can be sent any more. */
  ended(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#receive) this.#deliver(this.#receive);
    if (!this.#ended) return;
    if (this.#closedListener && !this.#told) {
      // An owner that never received does not want what is left.
      this.#told = true;
      for (const message of this.#inbox) releaseMessage(message);
      this.#inbox = [];
      this.#guard(this.#closedListener);
    }
    for (const resolve of this.#closers.splice(0)) resolve();
  }

  #deliver(receive: (message: LinkMessage) => void): void {
    if (this.#told) return;
    const messages = this.#inbox;
    this.#inbox = [];
    for (const message of messages) {
      try {
        receive(message);
      } catch (thrown) {
        this.#onError(thrown);
      }
    }
    if (this.#inbox.length > 0) this.#wake();
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#onError(thrown);
    }
  }
}
