import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FakeClock, until } from '@shoal/testing';
import { hasGpus, observeGpus } from './gpu-metrics';
import { MetricRegistry } from './registry';
import { renderPrometheus } from './text-format';

let folder: string;
let registry: MetricRegistry;
let warnings: string[];
let end: () => void;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shoal-gpus-'));
  registry = new MetricRegistry(new FakeClock());
  warnings = [];
  end = () => undefined;
});

afterEach(() => {
  end();
  rmSync(folder, { recursive: true });
});

/** Something that answers as nvidia-smi does. */
function observe(script: string): void {
  const program = path.join(folder, 'nvidia-smi');
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  end = observeGpus(registry, { intervalMs: 700, warn: (text) => warnings.push(text.replaceAll(folder, '')), program });
}

const samples = () =>
  renderPrometheus(registry)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

test('what nvidia-smi says, in Triton’s units; what a device does not tell is not there', async () => {
  observe(`echo "$@" > ${path.join(folder, 'asked')}
echo 'GPU-a, 37, 1024, 16384, 61.50, 250.00'
echo 'GPU-b, 0, 1, 8192, [N/A], [N/A]'
echo 'something else'
exec sleep 30`);
  await until(() => samples().length === 8);
  expect(samples()).toEqual([
    'nv_gpu_memory_total_bytes{gpu_uuid="GPU-a"} 17179869184',
    'nv_gpu_memory_total_bytes{gpu_uuid="GPU-b"} 8589934592',
    'nv_gpu_memory_used_bytes{gpu_uuid="GPU-a"} 1073741824',
    'nv_gpu_memory_used_bytes{gpu_uuid="GPU-b"} 1048576',
    'nv_gpu_power_limit{gpu_uuid="GPU-a"} 250',
    'nv_gpu_power_usage{gpu_uuid="GPU-a"} 61.5',
    'nv_gpu_utilization{gpu_uuid="GPU-a"} 0.37',
    'nv_gpu_utilization{gpu_uuid="GPU-b"} 0',
  ]);
  expect(warnings).toEqual([]);
  expect(readFileSync(path.join(folder, 'asked'), 'utf8')).toBe(
    '--query-gpu=uuid,utilization.gpu,memory.used,memory.total,power.draw,power.limit --format=csv,noheader,nounits --loop-ms=700\n',
  );
});

test('GPUs are found by their device files', () => {
  expect(hasGpus(folder)).toBe(false);
  writeFileSync(path.join(folder, 'nvidia0'), '');
  expect([hasGpus(folder), hasGpus(path.join(folder, 'none'))]).toEqual([true, false]);
});

test('where it cannot be run there are no such metrics, and it is told once', async () => {
  end = observeGpus(registry, { intervalMs: 700, warn: (text) => warnings.push(text), program: '/nowhere/nvidia-smi' });
  await until(() => warnings.length > 0);
  expect(warnings).toEqual([expect.stringContaining('GPUs are not measured any more: /nowhere/nvidia-smi')]);
  expect(renderPrometheus(registry)).toBe('\n');
});

test('when it ends, what it said is no longer so', async () => {
  observe(`echo 'GPU-a, 37, 1024, 16384, 61.50, 250.00'; exit 9`);
  await until(() => warnings.length > 0);
  await until(() => samples().length === 0);
  expect(warnings).toEqual(['GPUs are not measured any more: /nvidia-smi ended with 9']);
});
