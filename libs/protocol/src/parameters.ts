import { type WireReader, wire } from './wire-reader';

/**
 * An inference.InferParameter: its kind is the member of the oneof that was set, 'none' where none was. 64-bit
 * integers are exact: numbers where that is possible, else bigints.
 */
export type InferParameter =
  | { readonly kind: 'none' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: number | bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'uint64'; readonly value: number | bigint };

/** Parameters by key, in the order in which they were sent. */
export type InferParameters = ReadonlyMap<string, InferParameter>;

/** What most messages have. */
export const noParameters: InferParameters = new Map();

/** More parameters than this on one request or tensor are refused: no client has a use for them, and each costs memory. */
export const maxParameters = 1024;

/**
 * More than this in a whole message are refused: the limit of one tensor does not bound a message of many tensors, and
 * 4096 tensors in shared memory have three each.
 */
export const maxParametersInAll = 16384;

const none: InferParameter = { kind: 'none' };

/** Reads one entry of a map<string, InferParameter> field (tag already read) into `into`; the last of a key wins. */
export function readParameter(reader: WireReader, into: Map<string, InferParameter>): void {
  const outer = reader.enter('parameters');
  reader.parameters += 1;
  if (reader.parameters > maxParametersInAll) reader.fail(`more than ${maxParametersInAll} parameters in all`);
  let key = '';
  let parameter = none;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) key = reader.string('a parameter key');
    else if (tag === 0x12) parameter = readValue(reader, parameter);
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (into.size >= maxParameters && !into.has(key)) reader.fail(`more than ${maxParameters} parameters`);
  into.set(key, parameter);
}

/** Reads an InferParameter; of several members of the oneof the last wins, also across repeated sub-messages. */
function readValue(reader: WireReader, before: InferParameter): InferParameter {
  const outer = reader.enter('a parameter value');
  let value = before;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case (1 << 3) | wire.varint:
        value = { kind: 'bool', value: reader.bool() };
        break;
      case (2 << 3) | wire.varint:
        reader.varint64();
        value = { kind: 'int64', value: reader.signed() };
        break;
      case (3 << 3) | wire.bytes:
        value = { kind: 'string', value: reader.string('a string parameter') };
        break;
      case (4 << 3) | wire.fixed64:
        value = { kind: 'double', value: reader.double() };
        break;
      case (5 << 3) | wire.varint:
        reader.varint64();
        value = { kind: 'uint64', value: reader.unsigned() };
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  return value;
}
