import type { LinkMessage } from '../requests/messages';
import { invalid } from '../requests/refuse';

const defaultEpsilon = 1e-7;

/** From the model's output to the space in which it is shared out. */
export class Link {
  readonly function: LinkMessage['function'];
  readonly epsilon: number;
  /** Values that had to be moved away from 0 or 1. */
  clamped = 0;
  /** Values that are no probabilities. */
  outside = 0;

  /** @throws ShoalError INVALID_ARGUMENT */
  constructor(message: LinkMessage | null) {
    this.function = message?.function ?? 'IDENTITY';
    this.epsilon = message?.epsilon || defaultEpsilon;
    if (!(this.epsilon > 0 && this.epsilon < 0.5)) {
      throw invalid(`link.epsilon is ${this.epsilon}: expected more than 0 and less than 0.5`);
    }
  }

  apply(value: number): number {
    if (this.function === 'IDENTITY') return value;
    const { epsilon } = this;
    if (value < 0 || value > 1) this.outside += 1;
    let p = value;
    if (value < epsilon || value > 1 - epsilon) {
      this.clamped += 1;
      p = value < 0.5 ? epsilon : 1 - epsilon;
    }
    return Math.log(p / (1 - p));
  }

  applyAll(values: Float64Array): Float64Array {
    return this.function === 'IDENTITY' ? values : values.map((value) => this.apply(value));
  }
}
