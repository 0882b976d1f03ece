import { Reader } from 'protobufjs/minimal';

/**
 * More fields than this in one message are refused: entries of maps and lists, each of which costs a hundred times its
 * bytes once it is decoded.
 */
const maxFields = 65_536;

/**
 * Walks the outermost fields of a protobuf message. protobufjs takes a string that ends before its declared length, so
 * that a message which was cut within a name would be taken for one with a shorter name.
 * @throws Error when a field does not fit the message, or there are too many.
 */
export function checkFields(bytes: Uint8Array): void {
  const reader = Reader.create(bytes);
  for (let fields = 0; reader.pos < reader.len; fields += 1) {
    if (fields >= maxFields) throw new Error(`it has more than ${maxFields} fields`);
    const tag = reader.uint32();
    reader.skipType(tag & 7, 0, tag >>> 3);
  }
}
