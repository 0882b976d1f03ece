/** A metric as OpenTelemetry names it: without its unit, which is told apart. */
export interface OtlpName {
  readonly name: string;
  /** UCUM. */
  readonly unit: string;
}

const units: readonly (readonly [suffix: string, unit: string])[] = [
  ['_seconds', 's'],
  ['_bytes', 'By'],
];

/** `shoal_queue_time_seconds` is `shoal.queue.time` in `s`. Triton's names stay as they are. */
export function otlpName(prometheus: string): OtlpName {
  if (prometheus.startsWith('nv_')) return { name: prometheus, unit: tritonUnit(prometheus) };
  const bare = prometheus.replace(/_total$/, '');
  const [suffix, unit] = units.find(([ending]) => bare.endsWith(ending)) ?? ['', '1'];
  return { name: bare.slice(0, bare.length - suffix.length).replaceAll('_', '.'), unit };
}

function tritonUnit(name: string): string {
  const [, unit = ''] = /_(us|ms|bytes)$/.exec(name) ?? [];
  return unit === 'bytes' ? 'By' : unit || '1';
}

/** Attributes that the semantic conventions name. */
const attributes: Readonly<Record<string, string>> = {
  rpc_method: 'rpc.method',
  rpc_status_code: 'rpc.status_code',
  error_type: 'error.type',
};

export function otlpAttribute(label: string): string {
  return attributes[label] ?? label;
}
