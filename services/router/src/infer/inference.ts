import { type Clock, type Lifecycle, ShoalError } from '@shoal/core';
import { type InferRequestView, checkInferRequest, maxMessageBytes } from '@shoal/protocol';
import { type LogControl, type Logger, traceFields } from '@shoal/telemetry';
import type { Caller } from '../access/caller';
import type { Usage } from '../access/quotas';
import type { Catalog } from '../catalog/catalog';
import type { VersionEntry } from '../catalog/version-entry';
import type { RouterMetrics } from '../metrics/router-metrics';
import type { Admission } from '../requests/admission';
import { heldBytes } from '../requests/held-bytes';
import type { InferPlan } from '../requests/infer-plan';
import type { RequestTable } from '../requests/request-table';
import { RegionUse, type Regions } from '../shared-memory/regions';
import type { RequestHeaders } from '../traffic/choose-side';
import type { Route } from '../traffic/route';
import { Shadowing } from '../traffic/shadowing';
import type { ShadowBounds } from '../traffic/shadow-bounds';
import type { TrafficTable } from '../traffic/traffic-table';
import type { RequestTrace } from '../tracing/request-trace';
import type { RequestTraces } from '../tracing/request-traces';
import { InferCall, type InferListener } from './infer-call';
import { RequestLog, type RequestLine } from './request-log';

/** How a request came. */
export interface InferOrigin {
  /** ModelInfer; false: ModelStreamInfer. */
  readonly unary: boolean;
  readonly message: Buffer;
  /** Clock time, ms; undefined = none. */
  readonly deadline: number | undefined;
  /** Of the call. */
  readonly headers: RequestHeaders;
  /** Undefined where everybody may do everything. */
  readonly caller: Caller | undefined;
  /** Undefined: it is not recorded. */
  readonly trace: RequestTrace | undefined;
  /** Undefined: nobody wants it in the log. */
  readonly line: RequestLine | undefined;
}

export interface InferenceDeps {
  readonly catalog: Catalog;
  readonly table: RequestTable;
  readonly admission: Admission;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logControl: LogControl;
  /** Undefined where clients may not use shared memory. */
  readonly regions: Regions | undefined;
  readonly traffic: TrafficTable;
  readonly shadowBounds: ShadowBounds;
  /** Undefined where nothing is recorded. */
  readonly traces?: RequestTraces | undefined;
  /** Undefined: nothing is measured. */
  readonly metrics: RouterMetrics | undefined;
}

/** Takes requests in: finds their model, checks and admits them, and hands them to the table. */
export class Inference {
  readonly #deps: InferenceDeps;
  /** Of one request's inputs: what may be admitted and what one message to a runner holds. */
  readonly #maxBytes: number;
  readonly #shadowing: Shadowing;
  /** Undefined where nothing is recorded. */
  readonly traces: RequestTraces | undefined;
  readonly log: RequestLog;

  constructor(deps: InferenceDeps) {
    this.#deps = deps;
    this.traces = deps.traces;
    this.log = new RequestLog(deps.logControl, deps.logger, deps.clock);
    this.#maxBytes = Math.min(deps.admission.maxBytes, maxMessageBytes);
    const { catalog, table, clock, shadowBounds } = deps;
    this.#shadowing = new Shadowing({ catalog, table, clock, bounds: shadowBounds, maxBytes: this.#maxBytes });
  }

  /** Starts a request. @throws ShoalError that the client is to see when it is refused at once; then `listener` hears nothing. */
  start(view: InferRequestView, origin: InferOrigin, listener: InferListener): InferCall {
    const { table, admission, lifecycle, regions, traffic, clock, metrics } = this.#deps;
    const { caller } = origin;
    // Also while it drains: what reaches it then was sent before its client could know.
    if (lifecycle.state === 'STOPPED') {
      metrics?.shed('draining', '');
      throw new ShoalError('UNAVAILABLE', 'the server is shutting down');
    }
    // First of all: whoever may not use a model learns nothing of it.
    caller?.checkModel(view.modelName);
    const use = regions && new RegionUse(regions, caller);
    try {
      const route = traffic.route(view, origin.headers);
      const plan = this.#plan(view, origin.unary, use, route);
      const bytes = heldBytes(plan, origin.message);
      const { background } = plan.request;
      admission.admit(bytes, background, plan.version.announcement.model);
      const usage = caller && this.#count(caller, plan, bytes);
      let call: InferCall | undefined;
      try {
        const pair =
          route?.shadow &&
          this.#shadowing.prepare({ view, plan, message: origin.message, unary: origin.unary }, route, listener);
        call = new InferCall(route ? route.accept(pair ?? listener, clock) : listener, {
          replan: () => this.#plan(view, origin.unary, use, route),
          release(computeUs) {
            admission.release(bytes, background);
            usage?.release(computeUs / 1000, clock.now());
            use?.release();
          },
          pair,
          table,
          metrics,
        });
        origin.trace?.accepted(plan);
        origin.line?.accepted(plan);
        call.submit(plan, origin.deadline ?? Infinity, origin.trace);
        pair?.launch();
        return call;
      } catch (thrown) {
        // Whoever asked is told now and never again; what was admitted is given back, once.
        if (call) call.cancel();
        else {
          admission.release(bytes, background);
          usage?.release(0, clock.now());
        }
        throw thrown;
      }
    } catch (thrown) {
      use?.release();
      throw thrown;
    }
  }

  /** Notes a failed request where somebody wants to know. */
  note(view: InferRequestView | undefined, error: ShoalError, trace: RequestTrace | undefined): void {
    this.#deps.logger.verbose(1, 'request failed', {
      model: view?.modelName.slice(0, 256),
      code: error.code,
      reason: error.message,
      ...traceFields(trace?.context),
    });
  }

  /** Against the quotas of the caller's tenant; what was admitted is given back when it does not pass. */
  #count(caller: Caller, { request: { rows, background }, version }: InferPlan, bytes: number): Usage {
    try {
      return caller.admit(rows, bytes);
    } catch (thrown) {
      this.#deps.admission.release(bytes, background);
      this.#deps.metrics?.shed('quota', version.announcement.model);
      throw thrown;
    }
  }

  #plan(view: InferRequestView, unary: boolean, use: RegionUse | undefined, route: Route | undefined): InferPlan {
    const version = route ? route.resolve() : this.#deps.catalog.resolve(view.modelName, view.modelVersion);
    try {
      return this.#planFor(version, view, unary, use);
    } catch (thrown) {
      // A canary with other inputs: whoever did not ask for it is not to fail by it.
      if (!route?.fallBack()) throw thrown;
      return this.#planFor(route.resolve(), view, unary, use);
    }
  }

  #planFor(version: VersionEntry, view: InferRequestView, unary: boolean, use: RegionUse | undefined): InferPlan {
    const request = checkInferRequest(view, version.signature, {
      unary,
      maxBytes: this.#maxBytes,
      ...(use && { sharedMemory: use }),
    });
    if (version.signature.decoupled) {
      throw new ShoalError(
        'UNIMPLEMENTED',
        `model '${view.modelName}' has a decoupled transaction policy, which this server does not support`,
      );
    }
    return { version, request, regions: use };
  }
}
