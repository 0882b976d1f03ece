import type { Clock } from '@shoal/core';
import { type InferRequestView, checkInferRequest } from '@shoal/protocol';
import type { Catalog } from '../catalog/catalog';
import type { InferListener } from '../infer/infer-call';
import { heldBytes } from '../requests/held-bytes';
import type { InferPlan } from '../requests/infer-plan';
import type { RequestTable } from '../requests/request-table';
import type { Route } from './route';
import type { ShadowBounds } from './shadow-bounds';
import { ShadowPair } from './shadow-pair';

export interface ShadowingDeps {
  readonly catalog: Catalog;
  readonly table: RequestTable;
  readonly clock: Clock;
  readonly bounds: ShadowBounds;
  /** Of one request's inputs, as in `CheckOptions`. */
  readonly maxBytes: number;
}

/** A request that is about to be submitted. */
export interface PlannedRequest {
  readonly view: InferRequestView;
  readonly message: Buffer;
  readonly unary: boolean;
  readonly plan: InferPlan;
}

/**
 * Gives copies of accepted requests to shadow versions and compares the answers. It has bounds of its own, beside admission, and
 * what does not fit is dropped: the request itself notices nothing of it.
 */
export class Shadowing {
  readonly #deps: ShadowingDeps;

  constructor(deps: ShadowingDeps) {
    this.#deps = deps;
  }

  /**
   * Gets ready to compare; undefined where the rules do not want it, and where it cannot be done or there is no room, which is
   * counted. The pair takes the listener's place; `launch` sends the copy, once the request is submitted.
   */
  prepare(request: PlannedRequest, route: Route, listener: InferListener): ShadowPair | undefined {
    const { shadow: rule, traffic } = route;
    if (!rule) return undefined;
    const { table, clock, bounds } = this.#deps;
    const counters = traffic.counters.shadow;
    const { view, message, unary } = request;
    const replan = () => this.#plan(view, unary, rule.version);
    const plan = isComparable(request, rule.version) ? attempt(replan) : undefined;
    if (!plan) {
      counters.skipped += 1;
      return undefined;
    }
    const bytes = heldBytes(plan, message);
    if (!bounds.enter(bytes)) {
      counters.dropped += 1;
      return undefined;
    }
    const { tolerance } = rule;
    return new ShadowPair(listener, { table, clock, bounds, counters, tolerance, plan, replan, bytes });
  }

  #plan(view: InferRequestView, unary: boolean, versionText: string): InferPlan {
    const { catalog, maxBytes } = this.#deps;
    const version = catalog.resolve(view.modelName, versionText);
    const request = checkInferRequest(view, version.signature, { unary, maxBytes });
    return { version, request: { ...request, background: true }, regions: undefined };
  }
}

/** Shared memory may change before the shadow version reads it; a sequence is more than its requests. */
function isComparable({ view, plan }: PlannedRequest, shadowVersion: string): boolean {
  if (plan.version.version === shadowVersion) return false;
  const { id } = plan.request.sequence;
  if (id !== 0 && id !== 0n && id !== '') return false;
  return ![...view.inputs, ...view.outputs].some(({ parameters }) => parameters.has('shared_memory_region'));
}

/** Undefined where the shadow version is not ready, or would refuse the request. */
function attempt(plan: () => InferPlan): InferPlan | undefined {
  try {
    return plan();
  } catch {
    return undefined;
  }
}
