import type { ModelConfig } from '@shoal/protocol';
import { maxLabelsBytes } from './limits';
import { readInside } from './read-inside';
import { invalid } from './refuse';

/** Class labels by output name. */
export type Labels = Readonly<Record<string, readonly string[]>>;

/**
 * Reads the labels files that a config names. They must lie inside the model's folder, also after symbolic links are
 * followed: labels are shown to clients. Throws INVALID_ARGUMENT for a file that is missing, outside or too large.
 */
export async function readLabels(directory: string, config: ModelConfig, model: string): Promise<Labels> {
  const labels: Record<string, readonly string[]> = {};
  for (const { name, label_filename: file } of config.output) {
    if (file === '') continue;
    const bytes = await readInside(directory, file, maxLabelsBytes).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : 'cannot be read';
      throw invalid(`unable to read labels file '${file}' of output '${name}' of model '${model}': ${why}`);
    });
    // Not by assignment, which an output called __proto__ would turn into something else.
    Object.defineProperty(labels, name, { value: linesOf(bytes), enumerable: true, writable: true });
  }
  return labels;
}

/** One label per line; a line break at the end starts no further label. */
function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}
