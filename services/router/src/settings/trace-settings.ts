import { ShoalError } from '@shoal/core';
import { badSetting, integerSetting } from './parse-setting';

/** What TraceSetting shows and changes: values by key. */
export type TraceValues = Readonly<Record<string, readonly string[]>>;

/** The settings that a model may have of its own; the others are the exporter's, for the whole server. */
interface TraceChoice {
  readonly trace_level?: readonly string[];
  readonly trace_rate?: readonly string[];
  readonly trace_count?: readonly string[];
}

type ChoiceKey = keyof TraceChoice;
const choiceKeys: readonly ChoiceKey[] = ['trace_level', 'trace_rate', 'trace_count'];

const initial: Required<TraceChoice> = { trace_level: ['OFF'], trace_rate: ['1000'], trace_count: ['-1'] };

/** Traces are OpenTelemetry's; the batch span processor's defaults are its specification's. */
const exporter: TraceValues = {
  trace_mode: ['opentelemetry'],
  bsp_max_queue_size: ['2048'],
  bsp_schedule_delay: ['5000'],
  bsp_max_export_batch_size: ['512'],
};

/**
 * The trace settings of the server and of single models. A model follows the server in each setting that it has none of
 * its own for; an empty list of values clears a model's own setting, and sets the server's back to its first value.
 */
export class TraceSettings {
  readonly #first: Required<TraceChoice>;
  readonly #url: string;
  #server: Required<TraceChoice>;
  readonly #models = new Map<string, TraceChoice>();

  /** @param url Where traces go; '' = nowhere. */
  constructor(first: TraceChoice = {}, url = '') {
    this.#first = { ...initial, ...first };
    this.#server = this.#first;
    this.#url = url;
  }

  /** @param model '' = the server's. */
  get(model: string): TraceValues {
    return { ...exporter, url: [this.#url], ...this.#server, ...this.#models.get(model) };
  }

  /**
   * Applies all of `changes` or, when it throws, none; unknown keys are ignored, as Triton does.
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
    if (model === '') {
      const restored = Object.fromEntries([...cleared].map((key) => [key, this.#first[key]]));
      this.#server = { ...this.#server, ...restored, ...chosen };
      return;
    }
    const own = { ...this.#models.get(model), ...chosen };
    for (const key of cleared) delete own[key];
    if (Object.keys(own).length > 0) this.#models.set(model, own);
    else this.#models.delete(model);
  }
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
