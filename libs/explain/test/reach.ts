/** Bytes of buffers and number of objects that can be reached from a value. */
export function reach(value: unknown, seen = new Set<unknown>()): { bytes: number; objects: number } {
  const total = { bytes: 0, objects: 0 };
  if (typeof value !== 'object' || value === null || seen.has(value)) return total;
  seen.add(value);
  total.objects++;
  if (ArrayBuffer.isView(value)) return { bytes: value.buffer.byteLength, objects: 1 };
  for (const part of Object.values(value)) {
    const { bytes, objects } = reach(part, seen);
    total.bytes += bytes;
    total.objects += objects;
  }
  return total;
}
