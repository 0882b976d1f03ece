import { fieldKinds, pseudoKinds, type HeaderField } from './header-field';

/**
 * A decoded header list. Immutable once decoded, and shared: equal blocks on a connection are often the same object, so what
 * a user finds out about one may be kept in `memo`.
 */
export class HeaderBlock {
  /** Fields without the pseudo-header fields, in the order they came. */
  readonly fields: HeaderField[] = [];
  method: string | undefined = undefined;
  scheme: string | undefined = undefined;
  authority: string | undefined = undefined;
  /** The field itself, so that its memo can hold a resolved route. */
  path: HeaderField | undefined = undefined;
  /** 0 without a status. */
  status = 0;
  /** -1 without a content-length. */
  contentLength = -1;
  /** Breaks a rule of RFC 9113 §8.2 or §8.3 that does not depend on who sent it. */
  malformed = false;
  /** Size by HPACK's count; beyond the limit nothing of the list is kept. */
  size = 0;
  tooLarge = false;
  /** Bits of `fieldKinds` seen. */
  kinds = 0;
  /** Free for the user. */
  memo: unknown = undefined;

  /** The value of the first field of this name. */
  get(name: string): string | undefined {
    for (const field of this.fields) if (field.name === name) return field.value;
    return undefined;
  }

  add(field: HeaderField, maxSize: number): void {
    this.size += field.size;
    if (this.size > maxSize) {
      this.tooLarge = true;
      this.fields.length = 0;
      return;
    }
    if (field.kind === fieldKinds.regular) this.fields.push(field);
    else this.#addSpecial(field);
  }

  /** Whether this is a well-formed request (§8.3.1). CONNECT names an authority only (§8.5). */
  get isRequest(): boolean {
    if (this.malformed || (this.kinds & fieldKinds.status) !== 0 || this.method === undefined) return false;
    const target = this.kinds & (fieldKinds.scheme | fieldKinds.path);
    if (this.method === 'CONNECT') return target === 0 && this.authority !== undefined;
    return target === (fieldKinds.scheme | fieldKinds.path);
  }

  /** Whether this is a well-formed response, final or interim (§8.3.2). */
  get isResponse(): boolean {
    return !this.malformed && (this.kinds & pseudoKinds) === fieldKinds.status && this.status !== 101;
  }

  /** Whether this may close a message: no pseudo-header fields in trailers (§8.1). */
  get isTrailers(): boolean {
    return !this.malformed && (this.kinds & pseudoKinds) === 0;
  }

  #addSpecial(field: HeaderField): void {
    const { kind, value } = field;
    if ((kind & pseudoKinds) !== 0) {
      // Once each, and before all other fields.
      if ((this.kinds & kind) !== 0 || this.fields.length > 0) this.malformed = true;
    }
    this.kinds |= kind;
    if (kind === fieldKinds.method) this.method = value;
    else if (kind === fieldKinds.scheme) this.scheme = value;
    else if (kind === fieldKinds.authority) this.authority = value;
    else if (kind === fieldKinds.path) this.path = field;
    else if (kind === fieldKinds.status) this.status = Number(value);
    else if (kind === fieldKinds.contentLength) this.#addContentLength(field);
    else this.malformed = true;
  }

  #addContentLength(field: HeaderField): void {
    const length = Number(field.value);
    if (this.contentLength >= 0 && this.contentLength !== length) this.malformed = true;
    this.contentLength = length;
    this.fields.push(field);
  }
}
