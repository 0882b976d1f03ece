const arrays: Readonly<Record<string, (buffer: ArrayBuffer) => ArrayBufferView>> = {
  bool: (b) => new Uint8Array(b),
  uint8: (b) => new Uint8Array(b),
  uint16: (b) => new Uint16Array(b),
  uint32: (b) => new Uint32Array(b),
  uint64: (b) => new BigUint64Array(b),
  int8: (b) => new Int8Array(b),
  int16: (b) => new Int16Array(b),
  int32: (b) => new Int32Array(b),
  int64: (b) => new BigInt64Array(b),
  float16: (b) => new Uint16Array(b),
  float32: (b) => new Float32Array(b),
  float64: (b) => new Float64Array(b),
};

/** The whole buffer as the typed array that ONNX Runtime wants for an element type of its own; it checks the class. */
export function arrayOver(type: string, buffer: ArrayBuffer): ArrayBufferView {
  const make = arrays[type];
  if (!make) throw new Error(`no element type ${type}`);
  return make(buffer);
}
