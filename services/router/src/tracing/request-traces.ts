import type { Clock } from '@shoal/core';
import type { InferRequestView } from '@shoal/protocol';
import { type ServerPlace, describeServerSpan } from '@shoal/rpc';
import type { HeaderSource, Tracer, Tracing } from '@shoal/telemetry';
import { RequestTrace } from './request-trace';

/** What requests come by, as spans are named. */
export const inferMethods = {
  unary: 'inference.GRPCInferenceService/ModelInfer',
  stream: 'inference.GRPCInferenceService/ModelStreamInfer',
} as const;

/** Decides which requests are recorded, and begins their spans. There is none where nothing is exported. */
export class RequestTraces {
  readonly #tracing: Tracing;
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  /** Where the requests come to, once that is known. */
  place: ServerPlace | undefined;

  constructor(tracing: Tracing, clock: Clock) {
    this.#tracing = tracing;
    this.#tracer = tracing.tracer('router');
    this.#clock = clock;
  }

  /** To be called once a request, as soon as it is there; undefined: it is not recorded. @param view Undefined: it could not be read. */
  begin(
    kind: keyof typeof inferMethods,
    headers: HeaderSource,
    view: InferRequestView | undefined,
  ): RequestTrace | undefined {
    const now = this.#clock.now();
    const method = inferMethods[kind];
    const door = this.#tracing.door.open(method, view?.modelName ?? '', headers, now);
    if (!door) return undefined;
    describeServerSpan(door, method, this.place);
    // Both at once: whoever is called has the whole message already.
    door.event('GRPC_WAITREAD_START', now);
    door.event('GRPC_WAITREAD_END', now);
    return new RequestTrace(this.#tracer, this.#clock, door, view);
  }
}
