/** What a receiver says of an export that it took in part. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
  readonly errorMessage: string;
}

/**
 * Reads an `ExportTraceServiceResponse` (opentelemetry/proto/collector/trace/v1/trace_service.proto). Undefined: all was taken.
 * @throws RangeError for bytes that are none.
 */
export function readPartialSuccess(response: Uint8Array): PartialSuccess | undefined {
  let found: PartialSuccess | undefined;
  eachField(response, (number, value) => {
    if (number !== 1 || typeof value === 'number') return;
    let rejectedSpans = 0;
    let errorMessage = '';
    eachField(value, (inner, content) => {
      if (inner === 1 && typeof content === 'number') rejectedSpans = content;
      if (inner === 2 && typeof content !== 'number') errorMessage = Buffer.from(content).toString();
    });
    if (rejectedSpans > 0 || errorMessage !== '') found = { rejectedSpans, errorMessage };
  });
  return found;
}

/** Protobuf's fields that are varints or have a length; fixed ones are passed over. */
function eachField(bytes: Uint8Array, visit: (number: number, value: number | Uint8Array) => void): void {
  let at = 0;
  const byte = () => {
    const value = bytes[at++];
    if (value === undefined) throw new RangeError('it ends within a field');
    return value;
  };
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const part = byte();
      value += (part & 0x7f) * scale;
      if (part < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag % 8;
    if (type === 0) visit(Math.floor(tag / 8), varint());
    else if (type === 2) {
      const length = varint();
      visit(Math.floor(tag / 8), bytes.subarray(at, at + length));
      at += length;
    } else if (type === 1 || type === 5) at += type === 1 ? 8 : 4;
    else throw new RangeError('a field of no known type');
    if (at > bytes.length) throw new RangeError('it ends within a field');
  }
}
