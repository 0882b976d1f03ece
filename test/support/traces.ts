import { randomBytes } from 'node:crypto';
import type { ReceivedSpan } from './otlp/decode';
import type { OtlpReceiver } from './otlp/receiver';
import { eventually } from './waiting';

/**
 * Clocks of processes of one machine agree, but each looks for the beginning of a millisecond by itself, and may be held up while it does.
 */
export const clockTolerance = 50_000_000n;

/** A caller's place in a trace of its own. */
export class Caller {
  readonly traceId = randomBytes(16).toString('hex');
  readonly spanId = randomBytes(8).toString('hex');

  /** Metadata of a call under it. */
  headers(sampled = true): Record<string, string> {
    return { traceparent: `00-${this.traceId}-${this.spanId}-${sampled ? '01' : '00'}` };
  }
}

/** The spans of a trace that have come so far. */
export class Trace {
  readonly spans: readonly ReceivedSpan[];

  constructor(receiver: OtlpReceiver, traceId: string) {
    this.spans = receiver.spans.filter((span) => span.traceId === traceId);
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** @throws Error unless there is one of that name. */
  only(name: string): ReceivedSpan {
    const [span, ...more] = this.named(name);
    if (span && more.length === 0) return span;
    throw new Error(`${span ? 1 + more.length : 0} spans are named ${name}; there are: ${this.names().join(', ')}`);
  }

  names(): string[] {
    return this.spans.map(({ name }) => name).toSorted();
  }

  under(parent: ReceivedSpan): ReceivedSpan[] {
    return this.spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  }
}

/** A caller's trace, once it has as many spans. */
export function traceOf(receiver: OtlpReceiver, traceId: string, spans: number): Promise<Trace> {
  return eventually(
    `trace ${traceId} has ${spans} spans`,
    () => {
      const trace = new Trace(receiver, traceId);
      if (trace.spans.length < spans) throw new Error(`it has ${trace.names().join(', ') || 'none'}`);
      return trace;
    },
    20_000,
  );
}

/** Whether `outer` lasts from before `inner` until after it. */
export function contains(outer: ReceivedSpan, inner: ReceivedSpan): boolean {
  const tolerance = outer.service === inner.service ? 0n : clockTolerance;
  return outer.start <= inner.start + tolerance && inner.end <= outer.end + tolerance;
}

/** In ns. */
export function duration({ start, end }: ReceivedSpan): bigint {
  return end - start;
}

export function eventNames({ events }: ReceivedSpan): string[] {
  return events.map(({ name }) => name);
}

/** The ids of the spans that it has links to. */
export function linkedSpans({ links }: ReceivedSpan): string[] {
  return links.map(({ spanId }) => spanId);
}
