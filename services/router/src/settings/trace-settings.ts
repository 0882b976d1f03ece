import { ShoalError } from '@shoal/core';
import type { RequestSampler, TraceDefaults, TraceRule } from '@shoal/telemetry';
import { badSetting, integerSetting } from './parse-setting';

/** What TraceSetting shows and changes: values by key. */
export type TraceValues = Readonly<Record<string, readonly string[]>>;

/** The settings that a model may have of its own; the others are the exporter's, for the whole server. */
export interface TraceChoice {
  readonly trace_level?: readonly string[];
  readonly trace_rate?: readonly string[];
  readonly trace_count?: readonly string[];
}

type ChoiceKey = keyof TraceChoice;
const choiceKeys: readonly ChoiceKey[] = ['trace_level', 'trace_rate', 'trace_count'];

const initial: Required<TraceChoice> = { trace_level: ['OFF'], trace_rate: ['1000'], trace_count: ['-1'] };

/** Where nothing is exported. The batch span processor's defaults are its specification's. */
const nowhere: TraceDefaults = { settings: undefined, url: '', queueSpans: 2048, batchSpans: 512, delayMs: 5000 };

/** What the settings have an effect on; `Tracing` is one. */
export interface TraceTarget {
  readonly defaults: TraceDefaults;
  readonly sampler: Pick<RequestSampler, 'environment' | 'left' | 'set'>;
}

/**
 * The trace settings of the server and of single models, and what they make of requests. A model follows the server in each setting that it
 * has none of its own for; an empty list of values clears a model's own setting, and sets the server's back to its first value. While the
 * server has none but its first values, and those were not given, OpenTelemetry's sampler decides instead (OTEL_TRACES_SAMPLER): the values
 * that are shown then are the nearest to it.
 */
export class TraceSettings {
  readonly #target: TraceTarget | undefined;
  readonly #exporter: TraceValues;
  readonly #first: Required<TraceChoice>;
  readonly #firstGiven: boolean;
  #server: Required<TraceChoice>;
  /** What the server was given and has not been cleared. */
  readonly #given = new Set<ChoiceKey>();
  readonly #models = new Map<string, TraceChoice>();

  /**
   * @param target Undefined: no spans are exported; the settings are kept and shown.
   * @throws ShoalError INVALID_ARGUMENT for first values that cannot be.
   */
  constructor(target?: TraceTarget) {
    this.#target = target;
    const defaults = target?.defaults ?? nowhere;
    this.#exporter = {
      trace_mode: ['opentelemetry'],
      url: [defaults.url],
      bsp_max_queue_size: [String(defaults.queueSpans)],
      bsp_schedule_delay: [String(defaults.delayMs)],
      bsp_max_export_batch_size: [String(defaults.batchSpans)],
    };
    this.#firstGiven = defaults.settings !== undefined;
    this.#first = { ...initial, ...(defaults.settings ? firstChoice(defaults.settings) : nearest(target)) };
    this.#server = this.#first;
    if (this.#firstGiven) target?.sampler.set('', ruleOf(this.#server), true);
  }

  /** @param model '' = the server's. */
  get(model: string): TraceValues {
    const own = this.#models.get(model);
    const left = this.#target?.sampler.left(own ? model : '');
    const values = { ...this.#exporter, ...this.#server, ...own };
    return left === undefined ? values : { ...values, trace_count: [String(left)] };
  }

  /**
   * Applies all of `changes`, at once, or, when it throws, none; unknown keys are ignored, as Triton does. Whoever is changed counts anew.
   * @throws ShoalError INVALID_ARGUMENT, or UNIMPLEMENTED for `trace_file`, in Triton's words.
   */
  update(model: string, changes: TraceValues): void {
    if ('trace_file' in changes) {
      throw new ShoalError('UNIMPLEMENTED', 'trace file location can not be updated through network protocol');
    }
    const chosen: { [K in ChoiceKey]?: readonly string[] } = {};
    const cleared = new Set<ChoiceKey>();
    for (const key of choiceKeys) {
      const values = changes[key];
      if (!values) continue;
      if (values.length === 0) cleared.add(key);
      else chosen[key] = normalise[key](values);
    }
    if (changes['log_frequency']?.length) {
      integerSetting('log_frequency', changes['log_frequency'], { from: 0, to: 2 ** 32 - 1 });
    }
    if (model === '') this.#updateServer(chosen, cleared);
    else this.#updateModel(model, chosen, cleared);
  }

  /** What a model, or '' = the server, was given and has not been cleared. */
  given(model: string): TraceChoice {
    if (model !== '') return { ...this.#models.get(model) };
    return Object.fromEntries([...this.#given].map((key) => [key, this.#server[key]]));
  }

  /** Takes over what another router was given; what is so already goes on counting. */
  adopt(model: string, choice: TraceChoice): void {
    const before = this.given(model);
    if (choiceKeys.every((key) => before[key]?.join() === choice[key]?.join())) return;
    const cleared = new Set(choiceKeys.filter((key) => !choice[key]));
    if (model === '') this.#updateServer(choice, cleared);
    else this.#updateModel(model, choice, cleared);
  }

  #updateServer(chosen: TraceChoice, cleared: ReadonlySet<ChoiceKey>): void {
    const restored = Object.fromEntries([...cleared].map((key) => [key, this.#first[key]]));
    this.#server = { ...this.#server, ...restored, ...chosen };
    for (const key of cleared) this.#given.delete(key);
    for (const key of choiceKeys) if (chosen[key]) this.#given.add(key);
    const ruled = this.#firstGiven || this.#given.size > 0;
    this.#target?.sampler.set('', ruled ? ruleOf(this.#server) : undefined, true);
    for (const [name, own] of this.#models) this.#target?.sampler.set(name, ruleOf({ ...this.#server, ...own }), false);
  }

  #updateModel(model: string, chosen: TraceChoice, cleared: ReadonlySet<ChoiceKey>): void {
    const own = { ...this.#models.get(model), ...chosen };
    for (const key of cleared) delete own[key];
    const any = Object.keys(own).length > 0;
    if (any) this.#models.set(model, own);
    else this.#models.delete(model);
    this.#target?.sampler.set(model, any ? ruleOf({ ...this.#server, ...own }) : undefined, true);
  }
}

function ruleOf(choice: Required<TraceChoice>): TraceRule {
  return {
    enabled: !choice.trace_level.includes('OFF'),
    rate: Number(choice.trace_rate[0]),
    count: Number(choice.trace_count[0]),
  };
}

/** What was given at the start, in Triton's words when it is wrong. */
function firstChoice({ level, rate, count }: NonNullable<TraceDefaults['settings']>): TraceChoice {
  return {
    ...(level && { trace_level: normalise.trace_level(level) }),
    ...(rate !== undefined && { trace_rate: normalise.trace_rate([rate]) }),
    ...(count !== undefined && { trace_count: normalise.trace_count([count]) }),
  };
}

/** The setting that is most like the environment's sampler. */
function nearest(target: TraceTarget | undefined): TraceChoice {
  const ratio = target?.sampler.environment.ratio ?? 0;
  return ratio > 0 ? { trace_level: ['TIMESTAMPS'], trace_rate: [String(Math.round(1 / ratio))] } : {};
}

const normalise: Readonly<Record<ChoiceKey, (values: readonly string[]) => readonly string[]>> = {
  trace_level(values) {
    if (values.includes('OFF') && values.length > 1) throw badSetting("Expect only one trace level 'OFF' is specified");
    const known = ['OFF', 'TIMESTAMPS', 'TENSORS'].filter((level) => values.includes(level));
    if (known.length === 0) throw badSetting("Unable to parse 'trace_level', expecting OFF, TIMESTAMPS or TENSORS");
    return known;
  },
  trace_rate: (values) => [String(integerSetting('trace_rate', values, { from: 0, to: 2 ** 32 - 1 }))],
  trace_count: (values) => [String(integerSetting('trace_count', values, { from: -1, to: 2 ** 31 - 1, least: -1 }))],
};
