const count = 16;

/** A ModelInferRequest of Triton's `simple`: INPUT0 = base, base + 1, …; INPUT1 all 1. */
export function simpleRequest(id = '', base = 0, more: object = {}): object {
  const tensor = (name: string) => ({ name, datatype: 'INT32', shape: [1, count] });
  return {
    model_name: 'simple',
    id,
    inputs: [tensor('INPUT0'), tensor('INPUT1')],
    raw_input_contents: [
      int32(Array.from({ length: count }, (_, i) => base + i)),
      int32(new Array<number>(count).fill(1)),
    ],
    ...more,
  };
}

/** The bytes of little-endian 32-bit integers. */
export function int32(values: readonly number[]): Buffer {
  return Buffer.from(Int32Array.from(values).buffer);
}

/** First element of the first output: the base of the request, plus one. */
export function firstSum(response: unknown): number {
  const { raw_output_contents: raw } = response as { raw_output_contents: Buffer[] };
  return raw[0]?.readInt32LE(0) ?? Number.NaN;
}

/** Resolves when `holds` does, looking again after each turn of the event loop; the test's own timeout bounds it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
