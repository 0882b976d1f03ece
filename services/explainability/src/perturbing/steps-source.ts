import type { Steps } from '@shoal/explain';
import type { AskSource } from './ask';

/** Asks nothing: what there is to know is computed, a step in a turn. */
export class StepsSource<R> implements AskSource {
  readonly #steps: Steps<R>;
  result: R | undefined;

  constructor(steps: Steps<R>) {
    this.#steps = steps;
  }

  get done(): boolean {
    return this.result !== undefined;
  }

  next(): undefined {
    return undefined;
  }

  work(): boolean {
    if (this.done) return false;
    const step = this.#steps.next();
    if (step.done === true) this.result = step.value;
    return step.done !== true;
  }
}
