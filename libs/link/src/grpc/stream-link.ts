import { type CancelTimer, type Clock, type ShoalError, toShoalError } from '@shoal/core';
import type { FrameMessage } from '../carrier-messages';
import { decodeFrame } from '../codec/decode-frame';
import { malformed } from '../codec/wire-reader';
import { LinkEnd } from '../link-end';
import type { Hello, LinkMessage } from '../messages';
import type { SharedMemoryBudget } from '../shared/shared-memory-budget';
import { Sharing, bind } from '../shared/sharing';
import { Outbox } from './outbox';

/** One side of the stream of frames that carries a link. */
export interface FrameStream {
  onMessage(receive: (frame: Buffer) => void): void;
  /** Called once when the other side has sent everything, or the stream broke. */
  onEnd(ended: (error?: ShoalError) => void): void;
  pause(): void;
  resume(): void;
  write(frame: Buffer): void;
  bufferedBytes(): number;
  /** Says that we have sent everything. For the accepting side this ends the stream. */
  finish(): void;
  /** Ends the stream at once. */
  abort(error: ShoalError): void;
}

export interface StreamLinkOptions {
  readonly side: 'opening' | 'accepting';
  readonly clock: Clock;
  readonly self: Hello;
  /** Both hellos are exchanged. */
  readonly opened: (link: LinkEnd) => void;
  /** The stream is over; with the error when no hello came. */
  readonly over: (error?: ShoalError) => void;
  /** What a receiver threw. */
  readonly onError: (thrown: unknown) => void;
  /** Of links whose ends may be on one machine. */
  readonly sharedMemory?: SharedMemoryBudget;
}

/** How long a close waits for the other end's agreement before it cuts the stream. */
const farewellMs = 2000;

/** What is read ahead of a receiver. */
const maxHeldBytes = 1024 * 1024;

const goodbye = Buffer.alloc(0);

/** Joins a stream of frames to a link's end: hello first, then messages, then the goodbye described in link.proto. */
export class StreamLink {
  readonly #stream: FrameStream;
  readonly #options: StreamLinkOptions;
  readonly #outbox: Outbox;
  #end: LinkEnd | undefined;
  #sharing: Sharing | undefined;
  #finished = false;
  #over = false;
  #receiving = false;
  #held = 0;
  #cancelFarewell: CancelTimer | undefined;

  constructor(stream: FrameStream, options: StreamLinkOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#outbox = new Outbox(
      (frame) => {
        if (!this.#finished) stream.write(frame);
      },
      () => this.#sharing?.rider(),
    );
    stream.onMessage((frame) => this.#received(frame));
    stream.onEnd((error) => this.#ended(error));
    this.#outbox.send(options.self);
    this.#outbox.flush();
  }

  /** Sends what is queued and asks the other end to agree; cut short after `farewellMs`. */
  close(): void {
    if (this.#over || this.#cancelFarewell) return;
    this.#outbox.flush();
    this.#cancelFarewell = this.#options.clock.schedule(farewellMs, () => this.abort(malformed('no goodbye came')));
    if (this.#options.side === 'opening') this.#finish();
    else this.#stream.write(goodbye);
    this.#stream.resume();
  }

  /** Ends the link at once. */
  abort(error: ShoalError): void {
    if (this.#over) return;
    this.#outbox.drop();
    this.#stream.abort(error);
    this.#ended(error);
  }

  #received(frame: Buffer): void {
    if (this.#over) return;
    if (!this.#receiving) this.#hold(frame.length);
    try {
      if (frame.length === 0) {
        if (this.#options.side === 'accepting') throw malformed('a goodbye from the opening side');
        this.#goodbye();
      }
      for (const message of decodeFrame(frame)) {
        if (this.#end) {
          if (message.kind === 'hello') throw malformed('a second hello');
          this.#arrived(this.#end, message);
        } else if (message.kind === 'hello') {
          this.#open(message);
        } else {
          throw malformed('its first message is no hello');
        }
      }
    } catch (thrown) {
      this.abort(toShoalError(thrown));
    }
  }

  #arrived(end: LinkEnd, message: FrameMessage): void {
    const sharing = this.#sharing;
    if (sharing) {
      const forOwner = sharing.incoming(message);
      if (forOwner) end.arrived(forOwner);
    } else if (message.kind !== 'share' && message.kind !== 'free') {
      bind(message, undefined, 0);
      end.arrived(message);
    }
  }

  #send(message: LinkMessage): void {
    const sharing = this.#sharing;
    if (!sharing) {
      this.#outbox.send(message);
      return;
    }
    const sent = sharing.outgoing(message);
    try {
      this.#outbox.send(sent);
    } catch (thrown) {
      if (sent !== message) sharing.recall(sent);
      throw thrown;
    }
  }

  /** Routers and runners, who exchange tensors. */
  #share(budget: SharedMemoryBudget, peer: Hello): void {
    const { clock, self, side } = this.#options;
    const roles = [self.role, peer.role];
    if (!roles.includes('router') || !roles.includes('runner')) return;
    this.#sharing = new Sharing({
      clock,
      budget,
      send: (message) => this.#outbox.send(message),
      broken: (error) => this.abort(error),
    });
    if (side === 'opening') this.#sharing.offer();
  }

  /** While nobody receives, flow control holds the other end back before too much is kept here. */
  #hold(bytes: number): void {
    this.#held += bytes;
    if (this.#held > maxHeldBytes && !this.#cancelFarewell) this.#stream.pause();
  }

  #open(peer: Hello): void {
    const stream = this.#stream;
    this.#end = new LinkEnd(
      peer,
      {
        send: (message) => this.#send(message),
        sharesMemory: () => this.#sharing?.active ?? false,
        bufferedBytes: () => this.#outbox.bytes + stream.bufferedBytes(),
        close: () => this.close(),
        receiving: () => {
          this.#receiving = true;
          stream.resume();
        },
      },
      this.#options.onError,
    );
    if (this.#options.sharedMemory) this.#share(this.#options.sharedMemory, peer);
    this.#options.opened(this.#end);
  }

  /** The other end wants to close. */
  #goodbye(): void {
    this.#outbox.flush();
    this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#stream.finish();
  }

  #ended(error?: ShoalError): void {
    if (this.#over) return;
    if (!error) this.#goodbye();
    this.#over = true;
    this.#outbox.drop();
    this.#sharing?.end();
    this.#cancelFarewell?.();
    this.#end?.ended();
    this.#options.over(error);
  }
}
