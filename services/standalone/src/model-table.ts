import type { ModelAnnouncement, VersionAnnouncement } from '@shoal/bus';

/** One line of the start-up table. */
export interface ModelLine {
  readonly model: string;
  readonly version: string;
  /** "READY", or why it is not. */
  readonly status: string;
  readonly batching: string;
}

/** The lines for what is announced, sorted as a person looks for them: by name, then version. */
export function modelLines(
  models: readonly ModelAnnouncement[],
  versions: readonly VersionAnnouncement[],
): ModelLine[] {
  const lines = versions.map((version) => ({
    model: version.model,
    version: String(version.version),
    status: version.reason === '' ? version.state : `${version.state}: ${version.reason}`,
    batching: batchingOf(version),
  }));
  const listed = new Set(lines.map((line) => line.model));
  for (const { model, reason } of models) {
    if (!listed.has(model))
      lines.push({ model, version: '-', status: reason === '' ? 'not loaded' : reason, batching: '-' });
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

/** The table as Triton prints its own at start. */
export function renderModelTable(lines: readonly ModelLine[]): string {
  const cells = [
    ['Model', 'Version', 'Batching', 'Status'],
    ...lines.map((line) => [line.model, line.version, line.batching, line.status.trim().split('\n')[0] ?? '']),
  ];
  // The last column is not padded: a long reason would widen every line.
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const rows = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [rows[0], rows[0]!.replaceAll(/[^ ]/g, '-').replaceAll('- -', '---'), ...rows.slice(1)].join('\n');
}
