/** What a field means to HTTP/2 itself; everything else is `regular`. Bits, so that a block can collect which it has seen. */
export const fieldKinds = {
  regular: 0,
  method: 1,
  scheme: 2,
  path: 4,
  authority: 8,
  status: 16,
  contentLength: 32,
  malformed: 64,
} as const;

/** Kinds that start with a colon (RFC 9113 §8.3). */
export const pseudoKinds =
  fieldKinds.method | fieldKinds.scheme | fieldKinds.path | fieldKinds.authority | fieldKinds.status;

const kinds = new Map<string, number>([
  [':method', fieldKinds.method],
  [':scheme', fieldKinds.scheme],
  [':path', fieldKinds.path],
  [':authority', fieldKinds.authority],
  [':status', fieldKinds.status],
  ['content-length', fieldKinds.contentLength],
  // Connection-specific fields have no place in HTTP/2 (RFC 9113 §8.2.2).
  ['connection', fieldKinds.malformed],
  ['keep-alive', fieldKinds.malformed],
  ['proxy-connection', fieldKinds.malformed],
  ['transfer-encoding', fieldKinds.malformed],
  ['upgrade', fieldKinds.malformed],
]);

/** RFC 9110's token without upper case (RFC 9113 §8.2.1). */
const validName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** No NUL, CR, LF anywhere, no blank at either end (RFC 9113 §8.2.1). */
// oxlint-disable-next-line no-control-regex
const invalidValue = /[\0\r\n]|^[ \t]|[ \t]$/;

/**
 * One name and value as decoded: judged once, shared by every block that refers to it through the dynamic table.
 * Texts are latin1: one character per octet.
 */
export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** As HPACK counts (RFC 7541 §4.1): octets and an overhead of 32. */
  readonly size: number;
  /** One of `fieldKinds`. */
  readonly kind: number;
  /** Free for the user: what it made of this field (a resolved route, say), kept as long as the field is. */
  memo: unknown = undefined;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + 32;
    this.kind = classify(name, value);
  }
}

function classify(name: string, value: string): number {
  const kind = kinds.get(name);
  if (kind === undefined && !validName.test(name)) return fieldKinds.malformed;
  if (invalidValue.test(value)) return fieldKinds.malformed;
  if (kind === fieldKinds.path && value === '') return fieldKinds.malformed;
  if (kind === fieldKinds.contentLength && !/^\d{1,15}$/.test(value)) return fieldKinds.malformed;
  if (kind === fieldKinds.status && !/^\d{3}$/.test(value)) return fieldKinds.malformed;
  if (name === 'te' && value !== 'trailers') return fieldKinds.malformed;
  return kind ?? fieldKinds.regular;
}
