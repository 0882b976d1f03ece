import { float, image, type Nameless, ramp, withConstants } from './common';

const cases: Record<string, Nameless> = {};

for (const [title, attributes, weights] of [
  ['plain', {}, [3, 2, 3, 2]],
  ['padded', { pads: [1, 0, 2, 1] }, [3, 2, 3, 2]],
  ['strided, a row unused', { strides: [2, 3] }, [3, 2, 3, 2]],
  ['strided and padded', { strides: [2, 2], pads: [1, 1, 0, 1] }, [3, 2, 3, 3]],
  ['dilated', { dilations: [2, 1], pads: [1, 0, 1, 0] }, [3, 2, 2, 2]],
  ['in groups', { group: 2 }, [4, 1, 3, 2]],
  ['same', { auto_pad: 'SAME_UPPER' }, [3, 2, 3, 2]],
  ['same lower', { auto_pad: 'SAME_LOWER' }, [3, 2, 2, 2]],
  ['same strided', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [3, 2, 3, 2]],
  ['same lower strided', { auto_pad: 'SAME_LOWER', strides: [2, 2] }, [3, 2, 3, 2]],
  ['valid', { auto_pad: 'VALID', strides: [2, 2] }, [3, 2, 3, 3]],
  ['padded beyond its reach', { pads: [3, 0, 3, 0] }, [3, 2, 2, 2]],
] as const)
  cases[`Conv ${title}`] = float(
    withConstants({ x: image }, { w: ramp(...weights), c: ramp(weights[0]) }, [
      'Conv',
      ['x', 'w', 'c'],
      ['y'],
      attributes,
    ]),
  );
cases['Conv of one dimension'] = float(
  withConstants({ x: ['N', 2, 7] }, { w: ramp(3, 2, 3) }, ['Conv', ['x', 'w'], ['y'], { strides: [3] }]),
);

for (const [title, attributes, weights] of [
  ['plain', {}, [2, 3, 3, 2]],
  ['strided', { strides: [2, 2], pads: [1, 0, 0, 1], output_padding: [1, 0] }, [2, 3, 3, 2]],
  ['in groups, dilated', { group: 2, dilations: [2, 1] }, [2, 2, 2, 2]],
] as const)
  cases[`ConvTranspose ${title}`] = float(
    withConstants({ x: ['N', 2, 3, 2] }, { w: ramp(...weights) }, ['ConvTranspose', ['x', 'w'], ['y'], attributes]),
  );

for (const op of ['MaxPool', 'AveragePool'])
  for (const [title, attributes] of [
    ['plain', { kernel_shape: [2, 2] }],
    ['strided', { kernel_shape: [2, 2], strides: [2, 2] }],
    ['padded', { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 1, 1, 0] }],
    ['same', { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
    ...(op === 'MaxPool'
      ? ([['with a ceiling', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }]] as const)
      : ([
          ['counting its padding', { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 1, 1, 0], count_include_pad: 1 }],
        ] as const)),
  ] as const)
    cases[`${op} ${title}`] = float(
      withConstants({ x: image }, {}, [op, ['x'], ['c'], attributes], ['Mul', ['c', 'c'], ['y']]),
    );

/** Convolutions and poolings. */
export const windowCases: Readonly<Record<string, Nameless>> = cases;
