import type { FrameMessage } from '../carrier-messages';
import { readMessage } from './read-message';
import { WireReader } from './wire-reader';

/** Tag of `Frame.messages`. */
const messagesTag = 0x0a;

/**
 * The messages of a frame. Bytes in them (tensors, responses) are views of the frame, so they live as long as it does.
 * @throws ShoalError DATA_LOSS when the frame is malformed, whatever the bytes; work and memory are linear in its size.
 */
export function decodeFrame(frame: Buffer): FrameMessage[] {
  const reader = new WireReader(frame);
  const messages: FrameMessage[] = [];
  while (reader.more()) {
    const tag = reader.tag();
    if (tag !== messagesTag) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter();
    const message = readMessage(reader);
    reader.leave(outer);
    if (message) messages.push(message);
  }
  return messages;
}
