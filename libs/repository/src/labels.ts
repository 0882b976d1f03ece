import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { ModelConfig } from '@shoal/protocol';
import { fileTrouble, readBounded } from './bounded-read';
import { innerPath } from './file-names';
import { maxLabelsBytes } from './limits';
import { invalid } from './refuse';

/** Class labels by output name. */
export type Labels = Readonly<Record<string, readonly string[]>>;

/**
 * Reads the labels files that a config names. They must lie inside the model's folder, also after symbolic links are
 * followed: labels are shown to clients. Throws INVALID_ARGUMENT for a file that is missing, outside or too large.
 */
export async function readLabels(directory: string, config: ModelConfig, model: string): Promise<Labels> {
  const labels: Record<string, readonly string[]> = {};
  for (const output of config.output) {
    const name = output.label_filename;
    if (name === '') continue;
    const refuse = (why: string): Error =>
      invalid(`unable to read labels file '${name}' of output '${output.name}' of model '${model}': ${why}`);
    const path = innerPath(name);
    if (path === undefined) throw refuse('it must lie inside the model folder');
    const file = join(directory, ...path);
    const [real, home] = await Promise.all([realpath(file), realpath(directory)]).catch((error: unknown) => {
      throw refuse(fileTrouble(error));
    });
    if (!real.startsWith(home + sep)) throw refuse('it must lie inside the model folder');
    const bytes = await readBounded(real, maxLabelsBytes).catch((error: unknown) => {
      throw refuse(error instanceof Error ? error.message : 'cannot be read');
    });
    Object.defineProperty(labels, output.name, { value: linesOf(bytes), enumerable: true });
  }
  return labels;
}

/** One label per line; a line break at the end starts no further label. */
function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}
