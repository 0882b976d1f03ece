/** What nobody ever notifies. */
const nothing = new Int32Array(new SharedArrayBuffer(4));

/**
 * Holds the calling thread for `ms` milliseconds without using a processor, as a run on a device of its own would: it is asked for by
 * a model's parameter, to measure a cluster on a machine that lacks the devices.
 */
export function holdThread(ms: number): void {
  Atomics.wait(nothing, 0, 0, ms);
}
