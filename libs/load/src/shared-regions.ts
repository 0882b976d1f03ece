import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Random } from '@shoal/core';
import type { ControlClient } from './control-client';
import { batchedBytes, type RegionRange } from './infer-requests';
import type { RequestData } from './input-files';

/** Tensors in system shared memory, each on a page of its own. */
const pageBytes = 4096;

/** Regions that the server knows, and the files behind them. */
export interface SharedRegions {
  /** By entry of the data, by input. */
  readonly inputs: readonly ReadonlyMap<string, RegionRange>[];
  /** By place, by output: requests in flight at the same time have different places. */
  readonly outputs: readonly ReadonlyMap<string, RegionRange>[];
  /** Tells the server and deletes the files. */
  release(): Promise<void>;
}

/**
 * Writes all inputs to one file in /dev/shm, makes room for the outputs of `places` requests in a second one, and
 * registers both.
 * @throws ShoalError as the server says, e.g. when it does not allow shared memory.
 */
export async function createRegions(
  client: ControlClient,
  data: readonly RequestData[],
  batchSize: number,
  outputSizes: ReadonlyMap<string, number>,
  places: number,
  random: Random,
): Promise<SharedRegions> {
  const tag = Math.floor(random.next() * 2 ** 32).toString(16);
  const input = new Layout(`bench-in-${process.pid}-${tag}`);
  const contents: { offset: number; bytes: Uint8Array }[] = [];
  const inputs = data.map(
    (entry) =>
      new Map(
        [...entry].map(([name, value]) => {
          const bytes = batchedBytes(value, batchSize);
          const range = input.add(bytes.length);
          contents.push({ offset: range.offset, bytes });
          return [name, range] as const;
        }),
      ),
  );
  const output = new Layout(`bench-out-${process.pid}-${tag}`);
  const outputs = Array.from(
    { length: places },
    () => new Map([...outputSizes].map(([name, size]) => [name, output.add(size)] as const)),
  );
  const layouts = [input, output];
  const release = async () => {
    for (const { name } of layouts) {
      await client.call('SystemSharedMemoryUnregister', { name }).catch(() => undefined);
      rmSync(`/dev/shm/${name}`, { force: true });
    }
  };
  try {
    for (const layout of layouts) {
      writeFile(`/dev/shm/${layout.name}`, layout.size, layout === input ? contents : []);
      const { name, size } = layout;
      await client.call('SystemSharedMemoryRegister', { name, key: `/${name}`, offset: 0, byte_size: size });
    }
  } catch (thrown) {
    await release();
    throw thrown;
  }
  return { inputs, outputs, release };
}

function writeFile(file: string, size: number, contents: readonly { offset: number; bytes: Uint8Array }[]): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    ftruncateSync(descriptor, size);
    for (const { offset, bytes } of contents) writeSync(descriptor, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(descriptor);
  }
}

/** Places of tensors, one behind the other. */
class Layout {
  readonly name: string;
  size = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(byteSize: number): RegionRange {
    const range = { region: this.name, offset: this.size, byteSize };
    this.size += Math.max(1, Math.ceil(byteSize / pageBytes)) * pageBytes;
    return range;
  }
}
