import { int64 } from '../build-model';
import { a, float, type Nameless, ramp, withConstants, x } from './common';

/** Operators that move, pick or repeat elements; squared behind them, so that each element's gradient is its own. */
export const shapingCases: Readonly<Record<string, Nameless>> = {
  'Transpose of three axes': withConstants(
    { x: a },
    {},
    ['Transpose', ['x'], ['t'], { perm: [1, 2, 0] }],
    ['Mul', ['t', 't'], ['y']],
  ),
  Reshape: withConstants({ x: a }, { s: int64(0, -1) }, ['Reshape', ['x', 's'], ['r']], ['Mul', ['r', 'r'], ['y']]),
  'Squeeze and Unsqueeze': withConstants(
    { x: [2, 1, 3] },
    { i: int64(1), o: int64(0, -1) },
    ['Squeeze', ['x', 'i'], ['s']],
    ['Unsqueeze', ['s', 'o'], ['u']],
    ['Mul', ['u', 'u'], ['y']],
  ),
  'Concat of inputs and a constant': withConstants(
    { p: ['N', 2], q: ['N', 3] },
    {},
    ['Concat', ['p', 'q', 'p'], ['c'], { axis: -1 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  'Concat axis 0': withConstants(
    { p: [1, 2], q: [3, 2] },
    { k: ramp(2, 2) },
    ['Concat', ['p', 'k', 'q'], ['c'], { axis: 0 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  'Split, one part unused': withConstants(
    { x },
    { s: int64(1, 2, 3) },
    ['Split', ['x', 's'], ['p', 'q', 'r'], { axis: 1 }],
    ['Concat', ['r', 'p'], ['c'], { axis: 1 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  Slice: withConstants(
    { x: a },
    { s: int64(1, -3), e: int64(3, 2 ** 62), n: int64(1, 2) },
    ['Slice', ['x', 's', 'e', 'n'], ['c']],
    ['Mul', ['c', 'c'], ['y']],
  ),
  'Slice backwards in steps': withConstants(
    { x },
    { s: int64(-1), e: int64(-7), n: int64(1), t: int64(-2) },
    ['Slice', ['x', 's', 'e', 'n', 't'], ['c']],
    ['Mul', ['c', 'c'], ['y']],
  ),
  'Gather, an index twice': withConstants(
    { x },
    { i: { dims: [2, 2], values: [0, 5, 5, -1], type: 7 } },
    ['Gather', ['x', 'i'], ['c'], { axis: 1 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  'Gather one': withConstants(
    { x: a },
    { i: { dims: [], values: [1], type: 7 } },
    ['Gather', ['x', 'i'], ['c'], { axis: -1 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  GatherElements: withConstants(
    { x: [2, 3] },
    { i: { dims: [2, 2], values: [0, 0, 2, 1], type: 7 } },
    ['GatherElements', ['x', 'i'], ['c'], { axis: 1 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  Tile: withConstants({ x: [2, 3] }, { r: int64(2, 1) }, ['Tile', ['x', 'r'], ['c']], ['Mul', ['c', 'c'], ['y']]),
  Expand: withConstants(
    { x: [2, 1] },
    { s: int64(3, 1, 4) },
    ['Expand', ['x', 's'], ['c']],
    ['Mul', ['c', 'c'], ['y']],
  ),
  Pad: withConstants({ x: [2, 3] }, { p: int64(0, 1, 0, 2) }, ['Pad', ['x', 'p'], ['c']], ['Mul', ['c', 'c'], ['y']]),
  'Pad by reflection': withConstants(
    { x: [2, 3] },
    { p: int64(0, 2, 0, 1) },
    ['Pad', ['x', 'p'], ['c'], { mode: 'reflect' }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  CumSum: withConstants(
    { x },
    { i: { dims: [], values: [1], type: 7 } },
    ['CumSum', ['x', 'i'], ['c']],
    ['Mul', ['c', 'c'], ['y']],
  ),
  TopK: withConstants({ x }, { k: int64(2) }, ['TopK', ['x', 'k'], ['c', 'i']], ['Mul', ['c', 'c'], ['y']]),
  DepthToSpace: withConstants(
    { x: [1, 4, 2, 1] },
    {},
    ['DepthToSpace', ['x'], ['c'], { blocksize: 2 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  SpaceToDepth: withConstants(
    { x: [1, 1, 4, 2] },
    {},
    ['SpaceToDepth', ['x'], ['c'], { blocksize: 2 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  'Resize to nearest': float(
    withConstants(
      { x: [1, 2, 3, 2] },
      { f: { dims: [4], values: [1, 1, 2, 1.5], type: 1 } },
      ['Resize', ['x', '', 'f'], ['c'], { mode: 'nearest' }],
      ['Mul', ['c', 'c'], ['y']],
    ),
  ),
};
