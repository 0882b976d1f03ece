interface ArrayClass {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
}

const arrays: Readonly<Record<string, ArrayClass>> = {
  bool: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** The bytes as the typed array that ONNX Runtime wants for an element type of its own; it checks the class. */
export function arrayOver(type: string, { buffer, byteOffset, byteLength }: Uint8Array): ArrayBufferView {
  const made = arrays[type];
  if (!made) throw new Error(`no element type ${type}`);
  return new made(buffer as ArrayBuffer, byteOffset, byteLength / made.BYTES_PER_ELEMENT);
}
