import { ShoalError } from '@shoal/core';
import type { SpanContext } from '@shoal/telemetry';
import type { Bus } from './bus';

/** The instances that are announced under a prefix of the bus, to call each of them. */
export class Instances {
  readonly #bus: Bus;
  readonly #ids = new Set<string>();
  readonly #unwatch: () => void;

  constructor(bus: Bus, prefix: string) {
    this.#bus = bus;
    this.#unwatch = bus.watch(prefix, (key, value) => {
      const id = key.slice(prefix.length);
      if (value === undefined) this.#ids.delete(id);
      else this.#ids.add(id);
    });
  }

  /** Those that are announced now. */
  get ids(): readonly string[] {
    return [...this.#ids];
  }

  /**
   * Calls `<subject>.<id>` of each; resolves with the answers. Those that died are left out.
   * @throws ShoalError UNAVAILABLE when none answers, and what an instance threw otherwise.
   */
  async callEach<Req, Res>(subject: string, request: Req, timeoutMs: number, trace?: SpanContext): Promise<Res[]> {
    const ids = [...this.#ids];
    const outcomes = await Promise.allSettled(
      ids.map((id) => this.#bus.call<Req, Res>(instanceSubject(subject, id), request, { timeoutMs, trace })),
    );
    const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    if (answers.length > 0) return answers;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    throw failed ? failed.reason : new ShoalError('UNAVAILABLE', `nobody serves ${subject}`);
  }

  close(): void {
    this.#unwatch();
  }
}

/** Where one instance alone answers. */
export function instanceSubject(subject: string, id: string): string {
  return `${subject}.${id}`;
}
