import { readFile, rename, writeFile } from 'node:fs/promises';
import type { BucketCurve } from '@shoal/scheduler';
import type { Logger } from '@shoal/telemetry';
import { type CurveStore, type KeptCurves, readCurves } from './curve-store';

/** A file that is larger is none of ours. */
const maxBytes = 64 * 1024 ** 2;

/** Keeps curves in a JSON file: an object of `KeptCurves` by name. A file that cannot be read counts as empty, and is replaced. */
export async function fileCurves(path: string, logger: Logger): Promise<CurveStore> {
  const kept = new Map<string, readonly BucketCurve[]>();
  for (const [name, value] of Object.entries(await read(path, logger))) {
    const curves = readCurves(value);
    if (curves.length > 0) kept.set(name, curves);
  }
  let dirty = false;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    try {
      while (dirty) {
        dirty = false;
        const all = Object.fromEntries(
          [...kept].map(([name, curves]): [string, KeptCurves] => [name, { v: 1, curves }]),
        );
        await writeFile(`${path}.new`, JSON.stringify(all));
        await rename(`${path}.new`, path);
      }
    } catch (thrown) {
      logger.warn('cannot write --latency-file', { reason: reasonOf(thrown) });
    }
    writing = undefined;
  }

  return {
    watch(listener) {
      for (const [name, curves] of kept) listener(name, curves);
    },
    put(name, curves) {
      kept.set(name, curves);
      dirty = true;
      // Those of one turn are written together.
      writing ??= Promise.resolve().then(write);
    },
    close: async () => writing,
  };
}

async function read(path: string, logger: Logger): Promise<object> {
  try {
    const text = await readFile(path);
    if (text.length > maxBytes) throw new Error('too large');
    const all: unknown = JSON.parse(text.toString('utf8'));
    if (typeof all === 'object' && all !== null) return all;
    throw new Error('not an object');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') {
      logger.warn('cannot use --latency-file: models are learnt anew', { reason: reasonOf(thrown) });
    }
    return {};
  }
}

function reasonOf(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return code ?? message;
}
