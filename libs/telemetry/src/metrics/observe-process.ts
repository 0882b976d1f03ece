import { readdirSync } from 'node:fs';
import type { CancelTimer, Clock } from '@shoal/core';
import { shortSeconds } from './buckets';
import type { MetricRegistry } from './registry';

const lookMs = 50;

/** Declares what every process tells of itself. @returns what ends it. */
export function observeProcess(registry: MetricRegistry, clock: Clock, version: string): () => void {
  registry.observe(
    'gauge',
    { name: 'shoal_build_info', help: 'Always 1; the version of the program is its label.', labels: ['version'] },
    (sample) => sample(1, version),
  );
  registry.observe(
    'counter',
    { name: 'process_cpu_seconds_total', help: 'Processor time that the process has used, user and system.' },
    (sample) => {
      const { user, system } = process.cpuUsage();
      sample((user + system) / 1e6);
    },
  );
  registry.observe(
    'gauge',
    { name: 'process_resident_memory_bytes', help: 'Memory of the process that is in RAM.' },
    (sample) => sample(process.memoryUsage.rss()),
  );
  registry.observe('gauge', { name: 'process_open_fds', help: 'Open file descriptors.' }, (sample) => {
    const open = openFiles();
    if (open !== undefined) sample(open);
  });
  registry.observe(
    'gauge',
    { name: 'nodejs_heap_used_bytes', help: 'Memory of the JavaScript heap that is in use.' },
    (sample) => sample(process.memoryUsage().heapUsed),
  );
  return observeEventLoop(registry, clock);
}

/** Looks every now and then how late it is called. */
function observeEventLoop(registry: MetricRegistry, clock: Clock): () => void {
  const delay = registry
    .histogram({
      name: 'shoal_event_loop_delay_seconds',
      help: 'How much later than meant the process got to its work, looked at twenty times a second.',
      buckets: shortSeconds,
    })
    .with();
  let cancel: CancelTimer = () => undefined;
  function look(): void {
    const from = clock.now();
    cancel = clock.schedule(lookMs, () => {
      delay.observe(Math.max(0, clock.now() - from - lookMs) / 1000);
      look();
    });
  }
  look();
  return () => cancel();
}

/** Undefined where the system does not tell. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
