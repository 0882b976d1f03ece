import type { FrameMessage } from '../carrier-messages';
import { ByteCounter } from './byte-counter';
import { ByteWriter } from './byte-writer';
import { putMessage } from './put';

/**
 * Gathers the messages of one frame: `add` counts a message when it is sent, `take` writes all of them into one
 * buffer, copying tensors once.
 */
export class FrameEncoder {
  #messages: FrameMessage[] = [];
  #counter = new ByteCounter();
  /** Where the lengths of the message added last begin. */
  #firstLength = 0;

  /** Bytes of the frame so far. */
  get size(): number {
    return this.#counter.size;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /**
   * @returns The bytes that this message adds to the frame.
   * @throws RangeError when a number in it cannot be encoded; the frame stays as it was.
   */
  add(message: FrameMessage): number {
    const { size } = this.#counter;
    this.#firstLength = this.#counter.lengths.length;
    try {
      putMessage(this.#counter, message);
    } catch (thrown) {
      this.#counter.rewind(size, this.#firstLength);
      throw thrown;
    }
    this.#messages.push(message);
    return this.#counter.size - size;
  }

  /** Takes the last message out again; `bytes` is what its `add` returned. */
  dropLast(bytes: number): void {
    const dropped = this.#messages.pop();
    if (!dropped) return;
    this.#counter.rewind(this.#counter.size - bytes, this.#firstLength);
  }

  /** Forgets everything. */
  clear(): void {
    this.#messages = [];
    this.#counter = new ByteCounter();
  }

  /** The frame, and an empty encoder again. */
  take(): Buffer {
    const frame = Buffer.allocUnsafe(this.#counter.size);
    const writer = new ByteWriter(frame, this.#counter.lengths);
    for (const message of this.#messages) putMessage(writer, message);
    this.clear();
    return frame;
  }
}
