import { decodeToken, encodeToken } from './names';

/** A server carries at most 1 MiB in one message by default: longer values are cut into pieces of this size. */
const pieceBytes = 512 * 1024;
/** The most that one value may take, packed. */
export const maxValueBytes = 16 * 1024 * 1024;
const maxPieces = Math.ceil(maxValueBytes / pieceBytes);

/** One message in the bucket. */
export interface Entry {
  readonly key: string;
  readonly bytes: Buffer;
}

/**
 * An announcement as entries: `OWNER.KEY` holds a line `NUMBER PIECES` (-1 = withdrawn) and, with 0 pieces, the value;
 * otherwise `OWNER.KEY.0`, `.1`, … hold a line `NUMBER` and a piece each, and come first.
 */
export function toEntries(owner: string, key: string, number: number, value: Buffer | undefined): Entry[] {
  const head = `${owner}.${encodeToken(key)}`;
  if (value === undefined) return [{ key: head, bytes: Buffer.from(`${number} -1\n`) }];
  if (value.length <= pieceBytes) return [{ key: head, bytes: Buffer.concat([Buffer.from(`${number} 0\n`), value]) }];
  const entries: Entry[] = [];
  for (let at = 0; at < value.length; at += pieceBytes) {
    const piece = value.subarray(at, at + pieceBytes);
    entries.push({ key: `${head}.${entries.length}`, bytes: Buffer.concat([Buffer.from(`${number}\n`), piece]) });
  }
  entries.push({ key: head, bytes: Buffer.from(`${number} ${entries.length}\n`) });
  return entries;
}

/** What `Assembly` made of an entry. */
export interface Arrived {
  readonly owner: string;
  readonly key: string;
  readonly number: number;
  /** undefined = withdrawn. */
  readonly value: Buffer | undefined;
}

/** Puts the entries of a watch together again. Holds the pieces of what is not complete. */
export class Assembly {
  readonly #pieces = new Map<string, { number: number; parts: (Buffer | undefined)[] }>();

  /** The announcement that this entry completes; undefined for a piece, and for what nobody's `toEntries` made. */
  take(entryKey: string, bytes: Uint8Array): Arrived | undefined {
    const [owner, token, index, ...rest] = entryKey.split('.');
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = buffer.indexOf(0x0a);
    const key = token === undefined ? undefined : decodeToken(token);
    if (owner === undefined || key === undefined || end < 0 || end > 40 || rest.length > 0) return undefined;
    const line = /^(\d{1,15})(?: (-1|\d+))?$/.exec(buffer.toString('latin1', 0, end));
    if (line === null) return undefined;
    const [number, pieces] = [Number(line[1]), Number(line[2] ?? 0)];
    const value = buffer.subarray(end + 1);
    if (index !== undefined) {
      this.#piece(`${owner}.${token}`, Number(index), number, value);
      return undefined;
    }
    if (pieces === 0) return { owner, key, number, value };
    const gathered = this.#pieces.get(entryKey);
    this.#pieces.delete(entryKey);
    if (pieces < 0) return { owner, key, number, value: undefined };
    const parts = gathered?.number === number ? gathered.parts.filter((part) => part !== undefined) : [];
    // A later announcement's pieces have taken these ones' place already: its head is on the way.
    if (parts.length !== pieces) return undefined;
    return { owner, key, number, value: Buffer.concat(parts) };
  }

  #piece(head: string, index: number, number: number, value: Buffer): void {
    if (!(index >= 0 && index < maxPieces)) return;
    let gathered = this.#pieces.get(head);
    if (gathered === undefined || gathered.number < number) {
      this.#pieces.set(head, (gathered = { number, parts: [] }));
    }
    if (gathered.number === number) gathered.parts[index] = Buffer.from(value);
  }
}
