import type { LinkMessage } from './messages';

/*
 * What the two ends of a link that is carried by a stream say to each other about the link itself: its owners never see
 * these messages.
 */

/** Here is memory that I write and you read, if you can open it; or what became of yours. */
export interface Share {
  readonly kind: 'share';
  readonly state: 'offered' | 'opened' | 'refused';
  /** Of an offer: the file, as this process has it open. */
  readonly pid: number;
  readonly fd: number;
  /** Blocks lie below this offset. */
  readonly size: number;
  /** The file's first bytes. */
  readonly nonce: Uint8Array;
}

/** I have read these blocks of yours. */
export interface Free {
  readonly kind: 'free';
  readonly offsets: readonly number[];
}

/** All that may be in a frame. */
export type FrameMessage = LinkMessage | Share | Free;
