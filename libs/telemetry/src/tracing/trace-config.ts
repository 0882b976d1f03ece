import { ShoalError } from '@shoal/core';

/** What `--trace-config` says, by Triton's grammar. Values are not checked yet but for the numbers of the batch span processor. */
export interface TraceConfig {
  /** level, rate and count of the server's trace settings; undefined where none of them is given. */
  readonly settings:
    | { readonly level?: readonly string[]; readonly rate?: string; readonly count?: string }
    | undefined;
  /** The standard variables that say the same as the rest. */
  readonly environment: Readonly<Record<string, string>>;
}

const batchKeys: Readonly<Record<string, string>> = {
  bsp_max_queue_size: 'OTEL_BSP_MAX_QUEUE_SIZE',
  bsp_schedule_delay: 'OTEL_BSP_SCHEDULE_DELAY',
  bsp_max_export_batch_size: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
};

const known = `level, rate, count, mode, opentelemetry,url, opentelemetry,resource and ${Object.keys(batchKeys)
  .map((key) => `opentelemetry,${key}`)
  .join(', ')}`;

/**
 * Reads `[opentelemetry,]KEY=VALUE`, each time that the flag was given; several with commas between them as well. `opentelemetry,` may be left away.
 * Undefined: the flag was not given.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function parseTraceConfig(values: readonly string[]): TraceConfig | undefined {
  if (values.length === 0) return undefined;
  const level: string[] = [];
  const numbers: { rate?: string; count?: string } = {};
  const resource: string[] = [];
  const environment: Record<string, string> = { OTEL_TRACES_EXPORTER: 'otlp' };
  for (const [key, value] of values.flatMap(pairsOf)) {
    if (key === 'level') level.push(...value.split('|'));
    else if (key === 'rate' || key === 'count') numbers[key] = value;
    else if (key === 'mode') checkMode(value);
    else if (key === 'url') environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] = withScheme(value);
    else if (key === 'resource') resource.push(encodeResource(value));
    else if (batchKeys[key] !== undefined) environment[batchKeys[key]] = positive(key, value);
    else throw refused(`${key}=${value}`, `expected one of ${known}`);
  }
  if (resource.length > 0) environment['OTEL_RESOURCE_ATTRIBUTES'] = resource.join(',');
  const any = level.length > 0 || numbers.rate !== undefined || numbers.count !== undefined;
  return { settings: any ? { ...(level.length > 0 && { level }), ...numbers } : undefined, environment };
}

/** What an environment with the variables of `config` is. */
export function environmentWith(
  config: TraceConfig | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  if (!config) return { ...env };
  const key = 'OTEL_RESOURCE_ATTRIBUTES';
  // Attributes that are named in both come last from the flag, and so from it.
  const resource = [env[key], config.environment[key]].filter((one) => one !== undefined && one !== '').join(',');
  return { ...env, ...config.environment, ...(resource !== '' && { [key]: resource }) };
}

/** Commas separate; the mode that may come first is one as well. */
function pairsOf(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) pairs.push([part.slice(0, equals).trim(), part.slice(equals + 1).trim()]);
    else if (part === 'triton') throw refused(text, modeOnly);
    else if (part !== 'opentelemetry') throw refused(text, 'expected KEY=VALUE or opentelemetry,KEY=VALUE');
  }
  if (pairs.length === 0) throw refused(text, 'expected KEY=VALUE or opentelemetry,KEY=VALUE');
  return pairs;
}

const modeOnly = 'traces are written in the mode opentelemetry only';

function checkMode(value: string): void {
  if (value !== 'opentelemetry') throw refused(`mode=${value}`, modeOnly);
}

/** Triton's examples have none. */
function withScheme(url: string): string {
  const full = url.includes('://') ? url : `http://${url}`;
  if (!URL.canParse(full)) throw refused(`opentelemetry,url=${url}`, 'expected a URL as http://HOST:4318/v1/traces');
  return full;
}

function encodeResource(pair: string): string {
  const equals = pair.indexOf('=');
  if (equals < 1) throw refused(`opentelemetry,resource=${pair}`, 'expected opentelemetry,resource=KEY=VALUE');
  return `${encodeURIComponent(pair.slice(0, equals))}=${encodeURIComponent(pair.slice(equals + 1))}`;
}

function positive(key: string, value: string): string {
  if (!/^\d{1,9}$/.test(value) || Number(value) === 0) {
    throw refused(`opentelemetry,${key}=${value}`, 'expected a whole number above 0');
  }
  return value;
}

function refused(what: string, why: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `--trace-config ${what}: ${why}`);
}
