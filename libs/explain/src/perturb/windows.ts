import { ShoalError } from '@shoal/core';

/** Windows moved over a tensor of players; those at the far edges are cut where it ends. */
export class Windows {
  readonly count: number;
  /** Elements of the tensor. */
  readonly elements: number;
  private readonly shape: readonly number[];
  private readonly window: readonly number[];
  private readonly stride: readonly number[];
  /** How many windows there are along each axis. */
  private readonly steps: readonly number[];

  /** @throws ShoalError INVALID_ARGUMENT for windows that do not fit, or that leave gaps. */
  constructor(shape: readonly number[], window: readonly number[], stride: readonly number[]) {
    if (shape.length === 0 || window.length !== shape.length || stride.length !== shape.length)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `window [${window.join(',')}] and stride [${stride.join(',')}] must have an entry for each axis of [${shape.join(',')}]`,
      );
    for (const [axis, size] of shape.entries()) {
      const [extent, step] = [window[axis] as number, stride[axis] as number];
      if (
        !Number.isInteger(extent) ||
        extent < 1 ||
        extent > size ||
        !Number.isInteger(step) ||
        step < 1 ||
        step > extent
      )
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `axis ${axis} of ${size}: the window must be from 1 to ${size} and the stride from 1 to the window, got ${extent} and ${step}`,
        );
    }
    [this.shape, this.window, this.stride] = [shape, window, stride];
    this.steps = shape.map((size, axis) => Math.ceil((size - (window[axis] as number)) / (stride[axis] as number)) + 1);
    this.count = this.steps.reduce((product, steps) => product * steps, 1);
    this.elements = shape.reduce((product, size) => product * size, 1);
  }

  /** Calls `visit` for each element of window `index`, in row-major order of both. */
  forEach(index: number, visit: (element: number) => void): void {
    const first: number[] = [];
    let rest = index;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      const steps = this.steps[axis] as number;
      first[axis] = (rest % steps) * (this.stride[axis] as number);
      rest = Math.floor(rest / steps);
    }
    const walk = (axis: number, offset: number): void => {
      if (axis === this.shape.length) {
        visit(offset);
        return;
      }
      const size = this.shape[axis] as number;
      const from = first[axis] as number;
      const end = Math.min(size, from + (this.window[axis] as number));
      for (let i = from; i < end; i++) walk(axis + 1, offset * size + i);
    };
    walk(0, 0);
  }
}
