import type { CancelTimer, Clock, ShoalError } from '@shoal/core';
import { byteLengthOf, isPieces, type MessageBytes } from '../bytes';
import type { Free, FrameMessage, Share } from '../carrier-messages';
import { malformed } from '../codec/wire-reader';
import { FilePart } from '../file-part';
import type { InputData, LinkMessage } from '../messages';
import { releaseMessage } from '../release-message';
import { Block } from './block';
import { SharedFile } from './shared-file';
import type { SharedMemoryBudget } from './shared-memory-budget';
import { SharedView } from './shared-view';

/** Bytes from this number on travel through shared memory; for fewer the stream is as quick. */
const sharedFromBytes = 64 * 1024;

/** Blocks that were read are told of with the next frame that leaves anyhow; at once when they take more than this. */
const freeAtOnceBytes = 4 * 2 ** 20;
/** Or after so long. */
const freeAfterMs = 100;

const noNonce = new Uint8Array(0);

export interface SharingOptions {
  readonly clock: Clock;
  readonly budget: SharedMemoryBudget;
  readonly send: (message: FrameMessage) => void;
  /** The other end broke its word. */
  readonly broken: (error: ShoalError) => void;
}

/**
 * The shared memory of one end of a link between two processes of one machine: a file that this end writes and a view of
 * the one that the other end writes. The opening end offers first, the other then no more than that; each uses its file
 * once the other has opened it. Until then, and whenever there is no room, bytes travel in the frames.
 */
export class Sharing {
  readonly #options: SharingOptions;
  #file: SharedFile | undefined;
  #offered = false;
  /** The other end has opened our file. */
  #active = false;
  #view: SharedView | undefined;
  /** Of the process whose file the view is of. */
  #peerPid = 0;
  /** Offsets of blocks that were read, and their bytes. */
  #freed: number[] = [];
  #freedBytes = 0;
  #freeAtOnce = freeAtOnceBytes;
  #cancelFree: CancelTimer | undefined;
  #over = false;

  constructor(options: SharingOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#active;
  }

  /** @param limit Where the file may end; also within the budget. */
  offer(limit = this.#options.budget.limit): void {
    if (this.#offered) return;
    this.#offered = true;
    const { clock, budget, send } = this.#options;
    try {
      this.#file = new SharedFile(clock, budget, limit);
    } catch {
      // No shared memory here, or none left.
      return;
    }
    const { fd, size, nonce } = this.#file;
    send({ kind: 'share', state: 'offered', pid: process.pid, fd, size, nonce });
  }

  /** The message as it is to be encoded: large bytes go into blocks, where there is room. */
  outgoing(message: LinkMessage): LinkMessage {
    const file = this.#active ? this.#file : undefined;
    if (!file) return message;
    if (message.kind === 'answer') {
      const response = shared(file, message.response);
      return response === message.response ? message : { ...message, response };
    }
    if (message.kind !== 'data') return message;
    let inputs: InputData[] | undefined;
    message.inputs.forEach((input, i) => {
      const bytes = shared(file, input.bytes);
      if (bytes === input.bytes) return;
      inputs ??= [...message.inputs];
      inputs[i] = { ...input, bytes };
    });
    return inputs ? { ...message, inputs } : message;
  }

  /** A message of `outgoing` was not sent after all. */
  recall(message: LinkMessage): void {
    if (message.kind === 'answer') this.#recall(message.response);
    else if (message.kind === 'data') for (const { bytes } of message.inputs) this.#recall(bytes);
  }

  /**
   * Takes what is meant for us; gives back what is for the link's owner, able to reach its bytes.
   * @throws ShoalError DATA_LOSS for what the other end must not say.
   */
  incoming(message: FrameMessage): LinkMessage | undefined {
    if (message.kind === 'share') this.#share(message);
    else if (message.kind === 'free') this.#free(message);
    else {
      bind(message, this.#view, this.#peerPid);
      return message;
    }
    return undefined;
  }

  /** What goes with a frame that leaves now. */
  rider(): Free | undefined {
    if (this.#freed.length === 0) return undefined;
    const free: Free = { kind: 'free', offsets: this.#freed };
    this.#freed = [];
    this.#freedBytes = 0;
    return free;
  }

  /** The link is over; what was received may still be read. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#active = false;
    this.#cancelFree?.();
    this.#view?.end();
    this.#file?.close();
    this.#file = undefined;
  }

  #share({ state, pid, fd, size, nonce }: Share): void {
    if (state === 'offered') {
      if (this.#peerPid !== 0) throw malformed('a second shared memory');
      this.#peerPid = pid;
      this.#freeAtOnce = Math.min(freeAtOnceBytes, size / 8);
      const { broken } = this.#options;
      this.#view = SharedView.open({ pid, fd }, size, nonce, { done: (block) => this.#read(block), broken });
      const answer = this.#view ? 'opened' : 'refused';
      this.#options.send({ kind: 'share', state: answer, pid: 0, fd: 0, size: 0, nonce: noNonce });
      this.offer(size);
      return;
    }
    if (!this.#file || this.#active) throw malformed('an answer about shared memory that was not offered');
    if (state === 'opened') this.#active = true;
    else {
      this.#file.close();
      this.#file = undefined;
    }
  }

  #free({ offsets }: Free): void {
    for (const offset of offsets) if (!this.#file?.free(offset)) throw malformed('a block freed that was not in use');
  }

  #read({ offset, byteLength }: Block): void {
    this.#freed.push(offset);
    this.#freedBytes += byteLength;
    if (this.#freedBytes > this.#freeAtOnce) this.#tell();
    else this.#cancelFree ??= this.#options.clock.schedule(freeAfterMs, () => this.#tell());
  }

  #tell(): void {
    this.#cancelFree?.();
    this.#cancelFree = undefined;
    const free = this.rider();
    if (free) this.#options.send(free);
  }

  #recall(bytes: MessageBytes): void {
    if (bytes instanceof Block) this.#file?.free(bytes.offset);
  }
}

/** The bytes in a block of the file, where they are many and there is room. */
function shared(file: SharedFile, bytes: MessageBytes): MessageBytes {
  const length = byteLengthOf(bytes);
  if (length < sharedFromBytes) return bytes;
  if (isPieces(bytes)) return file.put(bytes, length) ?? bytes;
  return bytes instanceof Uint8Array ? (file.put([bytes], length) ?? bytes) : bytes;
}

/** Lets a message's bytes be read from where they lie. @throws ShoalError DATA_LOSS when they can lie nowhere. */
export function bind(message: LinkMessage, view: SharedView | undefined, pid: number): void {
  try {
    if (message.kind === 'answer') bindBytes(message.response, view, pid);
    else if (message.kind === 'data') {
      for (const { bytes } of message.inputs) bindBytes(bytes, view, pid);
      for (const { place } of message.outputs) if (place) bindBytes(place.file, view, pid);
    }
  } catch (thrown) {
    releaseMessage(message);
    throw thrown;
  }
}

function bindBytes(bytes: MessageBytes, view: SharedView | undefined, pid: number): void {
  if (bytes instanceof Uint8Array) return;
  if (!view) throw malformed('bytes in shared memory that there is not');
  if (bytes instanceof Block) view.take(bytes);
  else if (bytes instanceof FilePart) bytes.bind(pid);
}
