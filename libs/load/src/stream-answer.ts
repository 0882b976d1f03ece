import type { StreamAnswer } from './stream-sender';

/*
 * Just enough of ModelStreamInferResponse { 1: error_message, 2: ModelInferResponse { 3: id } } to know which request a
 * message answers, without touching its tensors.
 */

/** The id that requests of a slot carry on a stream. */
export function slotId(slot: number): string {
  return `slot-${slot}`;
}

const digitsAt = 'slot-'.length;

/** Whose answer a serialised ModelStreamInferResponse is. */
export function readStreamAnswer(message: Buffer): StreamAnswer {
  let slot = -1;
  let error: string | undefined;
  const cursor: Cursor = { at: 0 };
  while (cursor.at < message.length) {
    const tag = varint(message, cursor);
    const end = fieldEnd(message, cursor, tag);
    if (tag === 0x0a) error = message.toString('utf8', cursor.at, end) || undefined;
    else if (tag === 0x12) slot = slotOf(message, cursor, end);
    cursor.at = end;
  }
  return { slot, error };
}

interface Cursor {
  at: number;
}

function slotOf(message: Buffer, cursor: Cursor, end: number): number {
  while (cursor.at < end) {
    const tag = varint(message, cursor);
    const next = fieldEnd(message, cursor, tag);
    if (tag === 0x1a) return Number(message.toString('latin1', cursor.at + digitsAt, next));
    cursor.at = next;
  }
  return -1;
}

/** Behind the field whose value begins at the cursor; for a length-delimited one, the cursor moves past the length. */
function fieldEnd(message: Buffer, cursor: Cursor, tag: number): number {
  switch (tag & 7) {
    case 0: {
      const value: Cursor = { at: cursor.at };
      varint(message, value);
      return value.at;
    }
    case 1:
      return cursor.at + 8;
    case 2: {
      const length = varint(message, cursor);
      return cursor.at + length;
    }
    case 5:
      return cursor.at + 4;
    default:
      return message.length;
  }
}

function varint(message: Buffer, cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  while (cursor.at < message.length) {
    const byte = message[cursor.at] as number;
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  return value;
}
