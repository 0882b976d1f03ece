import { BackWriter } from './back-writer';
import { encodeAttribute } from './encode-attribute';

/**
 * Fields that are the same in very many spans, encoded once: names of spans and of events, keys, and pairs of a key and a text. Clients choose
 * some texts (names of models, ids), so each kind is bounded; what does not fit is encoded anew each time.
 */
export class KnownFields {
  readonly #names = new Map<string, Uint8Array>();
  readonly #pairs = new Map<string, Map<string, Uint8Array>>();
  readonly #tag: number;
  readonly #max: number;

  /** @param tag Of the names, or of the pairs (`KeyValue`). */
  constructor(tag: number, max: number) {
    this.#tag = tag;
    this.#max = max;
  }

  /** A text as a field; undefined: there is no more room. */
  name(text: string): Uint8Array | undefined {
    return this.#names.get(text) ?? this.#addName(text);
  }

  /** A key and a text as a `KeyValue`; undefined: there is no more room. */
  pair(key: string, value: string): Uint8Array | undefined {
    return this.#pairs.get(key)?.get(value) ?? this.#addPair(key, value);
  }

  #addName(text: string): Uint8Array | undefined {
    if (this.#names.size >= this.#max || text.length > this.#max) return undefined;
    const writer = new BackWriter();
    writer.string(this.#tag, text);
    const field = new Uint8Array(writer.buffer.subarray(writer.at));
    this.#names.set(text, field);
    return field;
  }

  #addPair(key: string, value: string): Uint8Array | undefined {
    let values = this.#pairs.get(key);
    if (!values) {
      if (this.#pairs.size >= this.#max) return undefined;
      this.#pairs.set(key, (values = new Map()));
    }
    if (values.size >= this.#max || value.length > this.#max) return undefined;
    const writer = new BackWriter();
    encodeAttribute(writer, this.#tag, key, value);
    const field = new Uint8Array(writer.buffer.subarray(writer.at));
    values.set(value, field);
    return field;
  }
}
