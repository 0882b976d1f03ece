import type { Hello, LinkMessage } from './messages';

/**
 * One long-lived, ordered, two-way road between two rooms. Messages sent within one event-loop turn travel in one
 * frame. Nothing is delivered before `onMessage` is set; nothing after `onClose` has fired.
 */
export interface Link {
  /** Who is at the other end: its first message. */
  readonly peer: Hello;
  /** Queues a message; silently dropped once the link is closed (`onClose` tells). */
  send(message: LinkMessage): void;
  /** Bytes queued and not yet taken by the carrier: a sender of tensors holds back above its own limit. */
  readonly bufferedBytes: number;
  /** The other end has been seen to open a file of this process: messages may name parts of files instead of bytes. */
  readonly sharesMemory: boolean;
  /** The one receiver. */
  onMessage(receive: (message: LinkMessage) => void): void;
  /** Called once, when the other end is gone or `close` was called; at once if that was before. */
  onClose(closed: () => void): void;
  /** Sends what is queued, then ends the link. */
  close(): Promise<void>;
}

/** Where links arrive. */
export interface LinkListener {
  /** What to announce: `inproc:NAME`, `unix:PATH` or `HOST:PORT`. */
  readonly address: string;
  /** Stops accepting and closes every link that was accepted, flushing what was queued. */
  close(): Promise<void>;
}

/** Opens and accepts links. One implementation picks the carrier by the address's scheme. */
export interface LinkTransport {
  /**
   * Accepts links at `address` (`inproc:NAME`, `unix:PATH`, `HOST:PORT`, port 0 = any).
   * @throws ShoalError UNAVAILABLE when the address cannot be bound.
   */
  listen(address: string, self: Hello, accept: (link: Link) => void): Promise<LinkListener>;
  /**
   * Opens a link; resolves when both hellos are exchanged.
   * @throws ShoalError UNAVAILABLE when nobody answers within `timeoutMs` or before the signal aborts.
   */
  connect(address: string, self: Hello, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Link>;
}
