import type { Catalog } from '../catalog/catalog';
import { type ShadowCounters, type SideCounters, type TrafficCounters, newCounters } from './counters';
import { type TrafficRules, type TrafficState, noRules } from './traffic-rules';

/** shoal.control.v1.Rules as proto-loader gives it; an absent message is null. */
export interface RulesMessage {
  readonly stable_version: string;
  readonly canary: {
    readonly version: string;
    readonly percent: number;
    readonly header: { readonly name: string; readonly values: readonly string[] } | null;
    readonly sticky_header: string;
  } | null;
  readonly shadow: {
    readonly version: string;
    readonly percent: number;
    readonly absolute_tolerance: number;
    readonly relative_tolerance: number;
  } | null;
}

/** What a call asks for; header names become lower case. */
export function rulesOf(message: RulesMessage | null): TrafficRules {
  if (!message) return noRules;
  const { canary, shadow } = message;
  return {
    stable: message.stable_version,
    ...(canary && {
      canary: {
        version: canary.version,
        percent: canary.percent,
        ...(canary.header && {
          header: { name: canary.header.name.toLowerCase(), values: canary.header.values },
        }),
        ...(canary.sticky_header !== '' && { sticky: canary.sticky_header.toLowerCase() }),
      },
    }),
    ...(shadow && {
      shadow: {
        version: shadow.version,
        percent: shadow.percent,
        tolerance: { absolute: shadow.absolute_tolerance, relative: shadow.relative_tolerance },
      },
    }),
  };
}

function rulesMessage({ stable, canary, shadow }: TrafficRules): RulesMessage {
  return {
    stable_version: stable,
    canary: canary
      ? {
          version: canary.version,
          percent: canary.percent,
          header: canary.header ?? null,
          sticky_header: canary.sticky ?? '',
        }
      : null,
    shadow: shadow
      ? {
          version: shadow.version,
          percent: shadow.percent,
          absolute_tolerance: shadow.tolerance.absolute,
          relative_tolerance: shadow.tolerance.relative,
        }
      : null,
  };
}

/** shoal.control.v1.Traffic. */
export function trafficMessage(
  model: string,
  traffic: { readonly state: TrafficState; readonly revision: number } | undefined,
  counted: { readonly counters: TrafficCounters; readonly routers: number } | undefined,
  catalog: Catalog,
): object {
  const { state, revision = 0 } = traffic ?? {};
  const rules = state?.rules ?? noRules;
  const changed = state && {
    action: state.changed.action,
    by: state.changed.by,
    epoch_ms: state.changed.epochMs,
  };
  return {
    model,
    revision,
    rules: rulesMessage(rules),
    changed,
    previous: state && rulesMessage(state.previous.rules),
    status: statusMessage(model, rules, counted, catalog),
  };
}

function statusMessage(
  model: string,
  { stable, canary, shadow }: TrafficRules,
  counted: { readonly counters: TrafficCounters; readonly routers: number } | undefined,
  catalog: Catalog,
): object {
  const { counters, routers } = counted ?? { counters: newCounters(), routers: 0 };
  return {
    ready_versions: catalog.readyVersions(model).map(({ version }) => version),
    stable_version: catalog.find(model, stable)?.version ?? '',
    canary_ready: canary !== undefined && catalog.find(model, canary.version) !== undefined,
    shadow_ready: shadow !== undefined && catalog.find(model, shadow.version) !== undefined,
    stable: sideMessage(counters.stable),
    canary: sideMessage(counters.canary),
    fallbacks: counters.fallbacks,
    shadow: shadowMessage(counters.shadow),
    routers,
  };
}

function sideMessage({ requests, answered, failed, answeredMs }: SideCounters): object {
  return { requests, answered, failed, mean_ms: mean(answeredMs, answered) };
}

function shadowMessage(counters: ShadowCounters): object {
  const { sent, compared, equal, different, failed, dropped, skipped, abandoned } = counters;
  return {
    sent,
    compared,
    equal,
    different,
    failed,
    dropped,
    skipped,
    abandoned,
    largest_difference: counters.largestDifference,
    first_output: counters.firstOutput,
    first_reason: counters.firstReason,
    primary_mean_ms: mean(counters.primaryMs, compared),
    shadow_mean_ms: mean(counters.shadowMs, compared),
  };
}

function mean(sum: number, count: number): number {
  return count === 0 ? 0 : sum / count;
}
