import { type ModelAnnouncement, type VersionAnnouncement, queueKey } from '@shoal/bus';
import { renderColumns } from './columns';

/** One line of the start-up table. */
export interface ModelLine {
  readonly model: string;
  readonly version: string;
  readonly batching: string;
  /** "CPU", "CUDA 0 x2": where its instances run. */
  readonly device: string;
  /** "READY", or why it is not. */
  readonly status: string;
}

/**
 * The lines for what is announced, sorted as a person looks for them: by name, then version.
 * `devices` holds one entry for each runner, by queue.
 */
export function modelLines(
  models: readonly ModelAnnouncement[],
  versions: readonly VersionAnnouncement[],
  devices: ReadonlyMap<string, readonly string[]>,
): ModelLine[] {
  const lines = versions.map((version) => ({
    model: version.model,
    version: String(version.version),
    batching: batchingOf(version),
    device: version.state === 'READY' ? countEach(devices.get(queueKey(version)) ?? []) : '-',
    status: version.reason === '' ? version.state : `${version.state}: ${version.reason}`,
  }));
  const listed = new Set(lines.map((line) => line.model));
  for (const { model, reason } of models) {
    if (listed.has(model)) continue;
    lines.push({ model, version: '-', batching: '-', device: '-', status: reason === '' ? 'not loaded' : reason });
  }
  return lines.toSorted((a, b) =>
    a.model === b.model ? Number(a.version) - Number(b.version) : a.model < b.model ? -1 : 1,
  );
}

function batchingOf({ config }: VersionAnnouncement): string {
  if (config === undefined) return '-';
  if (config.max_batch_size === 0) return 'no';
  return config.dynamic_batching
    ? `dynamic, up to ${config.max_batch_size}`
    : `by the client, up to ${config.max_batch_size}`;
}

/** ["CPU", "CPU"] → "CPU x2". */
function countEach(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const parts = [...counts].map(([name, count]) => (count === 1 ? name : `${name} x${count}`));
  // By name, whichever runner was announced first.
  parts.sort();
  return parts.length === 0 ? '-' : parts.join(', ');
}

/** The table as Triton prints its own at start. */
export function renderModelTable(lines: readonly ModelLine[]): string {
  return renderColumns(
    ['Model', 'Version', 'Batching', 'Device', 'Status'],
    lines.map(({ model, version, batching, device, status }) => [model, version, batching, device, status]),
  );
}
