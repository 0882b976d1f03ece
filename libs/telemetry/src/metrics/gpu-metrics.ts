import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { MetricRegistry } from './registry';

/** What nvidia-smi is asked for, in the order of its answer, and what that is to Triton; `scale` makes it Triton's unit. */
const fields = [
  {
    query: 'utilization.gpu',
    name: 'nv_gpu_utilization',
    scale: 0.01,
    help: 'Share of the time in which the GPU ran something, 0 to 1.',
  },
  { query: 'memory.used', name: 'nv_gpu_memory_used_bytes', scale: 2 ** 20, help: 'Memory of the GPU that is in use.' },
  { query: 'memory.total', name: 'nv_gpu_memory_total_bytes', scale: 2 ** 20, help: 'Memory of the GPU.' },
  { query: 'power.draw', name: 'nv_gpu_power_usage', scale: 1, help: 'Power that the GPU takes, in watts.' },
  { query: 'power.limit', name: 'nv_gpu_power_limit', scale: 1, help: 'Power that it may take, in watts.' },
] as const;

/** Whether this machine has NVIDIA GPUs. */
export function hasGpus(deviceFolder = '/dev'): boolean {
  try {
    return readdirSync(deviceFolder).some((name) => /^nvidia\d+$/.test(name));
  } catch {
    return false;
  }
}

export interface GpuMetricsOptions {
  readonly intervalMs: number;
  /** Told when nvidia-smi cannot be run, or ends. */
  readonly warn: (text: string) => void;
  /** Default: nvidia-smi. */
  readonly program?: string;
}

/**
 * Triton's metrics of NVIDIA GPUs, by way of nvidia-smi, which goes on running. What a device does not tell is not there. No GPU, no metrics.
 * @returns what ends it.
 */
export function observeGpus(
  registry: MetricRegistry,
  { intervalMs, warn, program = 'nvidia-smi' }: GpuMetricsOptions,
): () => void {
  /** By UUID: in the order of the fields. */
  const devices = new Map<string, readonly number[]>();
  let declared = false;
  const declare = () => {
    declared = true;
    for (const [at, { name, help }] of fields.entries()) {
      registry.observe('gauge', { name, help, labels: ['gpu_uuid'] }, (sample) => {
        for (const [uuid, values] of devices) if (Number.isFinite(values[at])) sample(values[at] as number, uuid);
      });
    }
  };
  const query = `--query-gpu=uuid,${fields.map((field) => field.query).join(',')}`;
  const child = spawn(program, [query, '--format=csv,noheader,nounits', `--loop-ms=${intervalMs}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let ended = false;
  const over = (reason: string) => {
    devices.clear();
    if (!ended) warn(`GPUs are not measured any more: ${program} ${reason}`);
    ended = true;
  };
  child.on('error', (error) => over(error.message));
  // Not before all that it said was read.
  child.on('close', (code, signal) => over(`ended with ${signal ?? code}`));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [uuid = '', ...texts] = line.split(',').map((text) => text.trim());
    if (texts.length !== fields.length || (devices.size >= maxDevices && !devices.has(uuid))) return;
    devices.set(
      uuid,
      texts.map((text, at) => Number(text) * (fields[at]?.scale ?? 1)),
    );
    if (!declared) declare();
  });
  return () => {
    ended = true;
    child.kill();
  };
}

/** More are in no machine. */
const maxDevices = 64;
