import { type ModelLine, modelLines, renderModelTable } from './model-table';

const version = (model: string, number: number, state: 'READY' | 'UNAVAILABLE', reason = '') => ({
  model,
  version: number,
  generation: 'g',
  state,
  reason,
});

test('lines come by name, then version; a model without a version says why', () => {
  const lines = modelLines(
    [
      { model: 'b', reason: '', wanted: true },
      { model: 'broken', reason: 'no version folder', wanted: true },
      { model: 'lazy', reason: '', wanted: true },
    ],
    [version('b', 10, 'READY'), version('b', 9, 'UNAVAILABLE', 'load failed\nat length'), version('a', 1, 'READY')],
    new Map([
      ['a/1@g', ['CPU', 'CUDA 1', 'CPU']],
      ['b/9@g', ['CPU']],
      ['b/10@old', ['CPU']],
    ]),
  );
  expect(lines.map((line) => `${line.model} ${line.version} ${line.device} ${line.status}`)).toEqual([
    'a 1 CPU x2, CUDA 1 READY',
    'b 9 - UNAVAILABLE: load failed\nat length',
    'b 10 - READY',
    'broken - - no version folder',
    'lazy - - not loaded',
  ]);
});

test('the table is aligned, shows first lines only and cannot steer the terminal', () => {
  const line: ModelLine = { model: 'm', version: '1', batching: 'no', device: 'CPU', status: 'READY' };
  const table = renderModelTable([line, { ...line, model: 'long\u001b[2J', status: 'bad\nworse' }]);
  expect(table.split('\n')).toEqual([
    'Model        Version  Batching  Device  Status',
    '-----        -------  --------  ------  ------',
    'm            1        no        CPU     READY',
    'long\\x1b[2J  1        no        CPU     bad',
  ]);
});
