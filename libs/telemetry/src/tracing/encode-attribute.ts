import type { BackWriter } from './back-writer';
import type { Real } from './recorded-span';
import type { AttributeValue } from './span';

/** A `KeyValue` of OTLP under `tag`: a field of one byte. */
export function encodeAttribute(writer: BackWriter, tag: number, key: string, value: AttributeValue | Real): void {
  const mark = writer.length;
  encodeValue(writer, 0x12, value);
  writer.string(0x0a, key);
  writer.close(tag, mark);
}

/** An `AnyValue` under `tag`. */
function encodeValue(writer: BackWriter, tag: number, value: AttributeValue | Real): void {
  const mark = writer.length;
  if (typeof value === 'string') writer.string(0x0a, value);
  else if (typeof value === 'number') encodeNumber(writer, value);
  else if (typeof value === 'boolean') {
    writer.room();
    writer.byte(value ? 1 : 0);
    writer.byte(0x10);
  } else if ('real' in value) encodeDouble(writer, value.real);
  else {
    for (let n = value.length; n-- > 0;) encodeValue(writer, 0x0a, value[n]!);
    writer.room();
    writer.close(0x2a, mark);
  }
  writer.close(tag, mark);
}

function encodeNumber(writer: BackWriter, value: number): void {
  if (!Number.isSafeInteger(value)) {
    encodeDouble(writer, value);
    return;
  }
  writer.room();
  writer.int64(value);
  writer.byte(0x18);
}

function encodeDouble(writer: BackWriter, value: number): void {
  writer.room();
  writer.double(value);
  writer.byte(0x21);
}
