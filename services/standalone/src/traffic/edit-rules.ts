import { ShoalError } from '@shoal/core';
import type { Canary, Rules, Shadow, Traffic } from './messages';
import { type TrafficOptions, trafficFlags } from './traffic-flags';

/** Whether the options change anything. */
export function changesRules(options: TrafficOptions): boolean {
  const keys = Object.keys(trafficFlags) as (keyof TrafficOptions)[];
  return keys.map((key) => options[key]).some((value) => (typeof value === 'boolean' ? value : value.length > 0));
}

/**
 * The rules as they stand, changed by the options. A model without a named stable version gets one when the latest is to be
 * tried: the highest other one that is ready.
 * @throws ShoalError INVALID_ARGUMENT for options that say nothing, or not what they mean.
 */
export function editRules({ rules, status }: Pick<Traffic, 'rules' | 'status'>, options: TrafficOptions): Rules {
  const canary = options.noCanary ? null : editCanary(rules.canary, options);
  const shadow = options.noShadow ? null : editShadow(rules.shadow, options);
  const named = options.stable === 'latest' ? '' : options.stable || rules.stable_version;
  const latest = status.ready_versions.at(-1);
  const tried = [canary?.version, shadow?.version];
  const pin = named === '' && options.stable === '' && latest !== undefined && tried.includes(latest);
  const other = status.ready_versions.findLast((version) => !tried.includes(version));
  return { stable_version: (pin ? other : undefined) ?? named, canary, shadow };
}

function editCanary(before: Canary | null, options: TrafficOptions): Canary | null {
  const { canary: version, percent, header, sticky } = options;
  const kept = before && (version === '' || version === before.version) ? before : undefined;
  if (version === '' && !kept) {
    if (percent !== '' || header.length > 0 || sticky !== '')
      throw needs('--percent, --header and --sticky', '--canary');
    return null;
  }
  if (!kept && percent === '' && header.length === 0) {
    throw new ShoalError('INVALID_ARGUMENT', `--canary=${version}: for whom? Expected --percent, or --header, too`);
  }
  return {
    version: version || (kept?.version ?? ''),
    percent: number('percent', percent, 100) ?? kept?.percent ?? 0,
    header: header.length > 0 ? headerRule(header) : (kept?.header ?? null),
    sticky_header: sticky || (kept?.sticky_header ?? ''),
  };
}

function editShadow(before: Shadow | null, options: TrafficOptions): Shadow | null {
  const { shadow: version, shadowPercent, absoluteTolerance, relativeTolerance } = options;
  const kept = before && (version === '' || version === before.version) ? before : undefined;
  if (version === '' && !kept) {
    const given = [shadowPercent, absoluteTolerance, relativeTolerance].some((text) => text !== '');
    if (given) throw needs('--shadow-percent and the tolerances', '--shadow');
    return null;
  }
  return {
    version: version || (kept?.version ?? ''),
    percent: number('shadowPercent', shadowPercent, 100) ?? kept?.percent ?? 100,
    absolute_tolerance: number('absoluteTolerance', absoluteTolerance) ?? kept?.absolute_tolerance ?? 0,
    relative_tolerance: number('relativeTolerance', relativeTolerance) ?? kept?.relative_tolerance ?? 0,
  };
}

function headerRule(given: readonly string[]): { name: string; values: string[] } {
  const pairs = given.map((text) => {
    const at = text.indexOf('=');
    return at < 0 ? { name: text, value: undefined } : { name: text.slice(0, at), value: text.slice(at + 1) };
  });
  const [first] = pairs;
  const name = first?.name.toLowerCase() ?? '';
  const other = pairs.find((pair) => pair.name.toLowerCase() !== name);
  if (other) {
    const text = `--header=${other.name}: there is one header for a canary, which is ${name} here; it may have several values`;
    throw new ShoalError('INVALID_ARGUMENT', text);
  }
  return { name, values: pairs.flatMap(({ value }) => value ?? []) };
}

/** Undefined when it is not given. */
function number(key: keyof typeof trafficFlags, text: string, max = Infinity): number | undefined {
  if (text === '') return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value <= max && value < Infinity) return value;
  const range = max === Infinity ? 'from 0' : `from 0 to ${max}`;
  throw new ShoalError('INVALID_ARGUMENT', `--${trafficFlags[key].name}=${text}: expected a number ${range}`);
}

function needs(what: string, missing: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `${what} are about a version: name it with ${missing}=VERSION`);
}
