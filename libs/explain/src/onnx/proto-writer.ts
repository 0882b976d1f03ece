const utf8 = new TextEncoder();
const int64Max = 2n ** 63n - 1n;

/** Writes one protobuf message, field by field. Long byte fields are kept by reference until `finish`. */
export class ProtoWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  /** Bytes as they are: fields taken over from elsewhere. */
  raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  private rawVarint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.raw(Uint8Array.of(value));
      return;
    }
    // Doubles beyond the range of int64 stand for its ends: "to the end" of a Slice is written as its largest value.
    let rest = BigInt.asUintN(64, clampInt64(value));
    const bytes: number[] = [];
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.raw(Uint8Array.from(bytes));
  }

  int(number: number, value: number): this {
    this.rawVarint(number * 8);
    this.rawVarint(value);
    return this;
  }

  float(number: number, value: number): this {
    this.rawVarint(number * 8 + 5);
    return this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  bytes(number: number, value: Uint8Array): this {
    this.rawVarint(number * 8 + 2);
    this.rawVarint(value.length);
    return this.raw(value);
  }

  string(number: number, value: string): this {
    return this.bytes(number, utf8.encode(value));
  }

  message(number: number, value: ProtoWriter): this {
    return this.bytes(number, value.finish());
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** A double as the nearest 64-bit integer. */
export function clampInt64(value: number): bigint {
  if (value >= 2 ** 63) return int64Max;
  if (value <= -(2 ** 63)) return -int64Max - 1n;
  return BigInt(Math.trunc(value));
}
