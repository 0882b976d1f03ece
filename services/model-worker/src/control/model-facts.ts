import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Desire, Replicas } from '@shoal/bus';
import type { ModelConfig } from '@shoal/protocol';
import { type ScanResult, checkInstanceGroups, parseModelConfigJson, pollFailure } from '@shoal/repository';
import { planInstances } from '../supervisor/instance-plan';
import type { ModelFacts } from './report-board';

/** A session's memory for each byte of its files: weights, and what ONNX Runtime makes of them. */
const memoryFactor = 1.5;
/** No parameter says more; an endless number would be none at all to others, by JSON. */
const maxMegabytes = 2 ** 30;
/** Files of one version that are looked at, at most. */
const maxFiles = 10_000;

/**
 * What serving a model takes, by its files and config: `parameters { key: "memory_mb" }` says better what it needs, "replicas" how
 * many workers serve it, KIND_GPU that it wants a GPU.
 */
export async function modelFacts(
  name: string,
  scan: ScanResult | undefined,
  desire: Desire | undefined,
  gpus: readonly number[],
): Promise<ModelFacts> {
  const config = configOf(desire) ?? (scan?.ok ? scan.config : undefined);
  const hasFiles = (desire?.files?.length ?? 0) > 0;
  const canBe = hasFiles || scan?.ok === true || (desire?.config !== undefined && scan?.directory !== undefined);
  const { code, message } = pollFailure(name);
  const bytes = hasFiles
    ? (desire?.files ?? []).reduce((sum, file) => sum + file.bytes, 0)
    : scan?.ok
      ? await bytesOf(scan.versions.map(({ file }) => file))
      : 0;
  const instances = config === undefined ? 1 : planInstances(config, gpus).length;
  const said = Number(parameter(config, 'memory_mb'));
  const replicas = replicasOf(parameter(config, 'replicas'));
  return {
    ...(!canBe && { refusal: { code, message } }),
    memoryBytes: said > 0 && said <= maxMegabytes ? said * 2 ** 20 : Math.ceil(bytes * memoryFactor) * instances,
    gpu: config?.instance_group.some(({ kind }) => kind === 'KIND_GPU') ?? false,
    ...(replicas !== undefined && { replicas }),
  };
}

function configOf(desire: Desire | undefined): ModelConfig | undefined {
  if (desire?.config === undefined) return undefined;
  try {
    const config = parseModelConfigJson(desire.config);
    // They are counted out below, and nobody has checked how many there are.
    checkInstanceGroups(config, config.name);
    return config;
  } catch {
    // Loading it tells what is wrong with it.
    return undefined;
  }
}

function parameter(config: ModelConfig | undefined, key: string): string | undefined {
  return config?.parameters?.[key]?.string_value;
}

function replicasOf(text: string | undefined): Replicas | undefined {
  if (text === 'all') return 'all';
  const count = Number(text);
  return Number.isInteger(count) && count > 0 ? count : undefined;
}

/** All that lies in the versions' folders: weights may lie beside the model. */
async function bytesOf(files: readonly string[]): Promise<number> {
  let sum = 0;
  for (const folder of new Set(files.filter((file) => file !== '').map((file) => dirname(file)))) {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    for (const name of names.slice(0, maxFiles)) {
      const found = await stat(join(folder, name)).catch(() => undefined);
      if (found?.isFile()) sum += found.size;
    }
  }
  return sum;
}
