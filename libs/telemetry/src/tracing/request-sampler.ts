import type { Random } from '@shoal/core';

/** What decides about requests without a rule: OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG. */
export interface EnvironmentSampler {
  /** Whether what the caller says decides, where it says something: `parentbased_…`. */
  readonly parentBased: boolean;
  /** Of the traces that begin here: 0 … 1. */
  readonly ratio: number;
}

/** A trace setting of Triton's: of the server or of a model. What callers say goes before rate and count. */
export interface TraceRule {
  /** False: level OFF, nothing is recorded, whatever callers say. */
  readonly enabled: boolean;
  /** One request in so many; 0: only those whose caller records. */
  readonly rate: number;
  /** At most so many more, not counting those whose callers record; -1: no end. */
  readonly count: number;
}

interface Counted {
  readonly rule: TraceRule;
  requests: number;
  left: number;
}

/** Decides which requests are recorded; each is to be asked about once. */
export class RequestSampler {
  readonly environment: EnvironmentSampler;
  readonly #random: Random;
  #server: Counted | undefined;
  #models: Map<string, Counted> | undefined;

  constructor(environment: EnvironmentSampler, random: Random) {
    this.environment = environment;
    this.#random = random;
  }

  /**
   * Sets a rule; undefined: the server's (of a model), the environment's (of the server).
   * @param model '' = the server.
   * @param anew It begins to count, even if it is the same as before; else it does so only when it is another one.
   */
  set(model: string, rule: TraceRule | undefined, anew: boolean): void {
    const before = this.#own(model);
    if (!anew && rule && before && sameRule(rule, before.rule)) return;
    const next = rule && { rule, requests: 0, left: rule.count };
    if (model === '') this.#server = next;
    else if (next) (this.#models ??= new Map()).set(model, next);
    else this.#models?.delete(model);
  }

  /** How many more requests a rule of its own lets record; undefined where there is none. */
  left(model: string): number | undefined {
    return this.#own(model)?.left;
  }

  /** Of a request whose caller says nothing. */
  root(model: string): boolean {
    const counted = this.#ruleFor(model);
    if (counted) return counted.rule.enabled && isDrawn(counted);
    const { ratio } = this.environment;
    return ratio >= 1 || (ratio > 0 && this.#random.next() < ratio);
  }

  /**
   * Of one whose caller says whether it records.
   * @param traceId The first 16 bytes of it are the caller's trace id.
   */
  child(model: string, recorded: boolean, traceId: Buffer): boolean {
    const counted = this.#ruleFor(model);
    if (counted) {
      if (!counted.rule.enabled) return false;
      // It counts as one of the requests, as in Triton.
      if (recorded) isDrawn(counted);
      return recorded;
    }
    const { parentBased, ratio } = this.environment;
    return parentBased ? recorded : isBelow(traceId, ratio);
  }

  #own(model: string): Counted | undefined {
    return model === '' ? this.#server : this.#models?.get(model);
  }

  #ruleFor(model: string): Counted | undefined {
    return this.#models?.get(model) ?? this.#server;
  }
}

/** Counts the request. */
function isDrawn(counted: Counted): boolean {
  const { rate } = counted.rule;
  if (rate === 0 || counted.left === 0) return false;
  if (++counted.requests % rate !== 0) return false;
  if (counted.left > 0) counted.left--;
  return true;
}

/** The same for a trace in every process: its random part against the ratio (of its low 7 bytes, which W3C’s level 2 holds to be random, six). */
function isBelow(traceId: Buffer, ratio: number): boolean {
  return ratio >= 1 || traceId.readUIntBE(10, 6) / 2 ** 48 < ratio;
}

function sameRule(a: TraceRule, b: TraceRule): boolean {
  return a.enabled === b.enabled && a.rate === b.rate && a.count === b.count;
}
