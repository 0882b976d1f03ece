import { elementType } from '../../onnx/onnx-model';
import type { GradientCase } from '../check-gradient';

export type Nameless = Omit<GradientCase, 'name'>;

export const { double } = elementType;
/** Shapes that many cases use: rows, a block, a picture. */
export const x = ['N', 6] as const;
export const a = [2, 3, 4] as const;
export const image = ['N', 2, 6, 5] as const;

/** Numbers that follow no pattern which an operator might share. */
export const ramp = (...dims: number[]): { dims: number[]; values: number[] } => ({
  dims,
  values: Array.from({ length: dims.reduce((all, dim) => all * dim, 1) }, (_, at) => Math.sin(at * 1.7 + 1)),
});

export const scalar = (value: number): { dims: number[]; values: number[] } => ({ dims: [], values: [value] });

/** A case in double with one output y. */
export const withConstants = (
  inputs: GradientCase['inputs'],
  constants: NonNullable<GradientCase['constants']>,
  ...nodes: GradientCase['nodes']
): Nameless => ({ type: double, inputs, constants, nodes, outputs: ['y'] });

export const float = (one: Nameless): Nameless => ({ ...one, type: elementType.float });
export const positive = (one: Nameless): Nameless => ({ ...one, range: [0.5, 2] });
