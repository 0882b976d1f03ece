import type { HeaderSource } from './propagation';
import type { RequestSampler } from './request-sampler';
import type { Span, Tracer } from './span';
import { readTraceparent } from './traceparent';
import type { TraceDoor } from './tracing';

/** Decides by what the caller says, the rules, and the environment. */
export class SamplingDoor implements TraceDoor {
  readonly #tracer: Tracer;
  readonly #sampler: RequestSampler;
  readonly #listens: boolean;

  /** @param listens Whether callers' headers are read. */
  constructor(tracer: Tracer, sampler: RequestSampler, listens: boolean) {
    this.#tracer = tracer;
    this.#sampler = sampler;
    this.#listens = listens;
  }

  open(name: string, model: string, headers: HeaderSource, at: number): Span | undefined {
    const traceparent = this.#listens ? headers.header('traceparent') : undefined;
    const caller =
      traceparent === undefined ? undefined : readTraceparent(traceparent, () => headers.header('tracestate'));
    if (!caller) return this.#sampler.root(model) ? this.#tracer.startRoot(name, 'server', at) : undefined;
    if (!this.#sampler.child(model, caller.sampled, caller.context.wire)) return undefined;
    return this.#tracer.start(name, 'server', caller.context, at);
  }
}
