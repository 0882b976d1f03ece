import { permutationShapley } from '@shoal/explain';
import type { Ask, AskSource } from '../perturbing/ask';
import { CoalitionSource } from '../perturbing/coalition-source';
import type { MethodContext, Running } from './method';

/** One source after the other. */
class ChainedSource implements AskSource {
  readonly #first: AskSource;
  readonly #second: AskSource;

  constructor(first: AskSource, second: AskSource) {
    this.#first = first;
    this.#second = second;
  }

  get done(): boolean {
    return this.#second.done;
  }

  next(maxRows: number): Ask | undefined {
    // What the first has given out is told before what the second gives out.
    return this.#first.next(maxRows) ?? this.#second.next(maxRows);
  }

  work(): boolean {
    return this.#second.work?.() ?? false;
  }
}

/** A method that has no answer before its end or for long, and one of a single permutation, which is known soon. */
export function withSketch(running: Running, context: MethodContext): Running & { readonly sketched: boolean } {
  const { players, seed, masker, link, ends, background } = context;
  const count = players.sizes.length;
  const sketch = permutationShapley({ players: count, seed, budget: 2 * count });
  const source = new CoalitionSource(sketch, { masker, link, ends, weights: background.weights });
  return {
    ...(running.knowsBase && { knowsBase: true }),
    source: new ChainedSource(source, running.source),
    answer: () => running.answer() ?? sketch.result(),
    get sketched() {
      return running.answer() === undefined;
    },
  };
}
