import type { Model } from './messages';
import { renderModels, renderWorkers } from './render-models';

const model: Model = {
  name: 'digits',
  wanted: true,
  by_request: true,
  replicas: { replicas: 'count', count: 3 },
  chosen: ['a', 'b'],
  reason: '2 can take it',
  workers: [
    {
      worker: 'a',
      state: 'READY',
      reason: '',
      memory_bytes: 0,
      versions: [{ version: '2', state: 'READY', reason: '' }],
    },
    { worker: 'b', state: 'FAILED', reason: 'broken\u001b[31m\nand more', memory_bytes: 0, versions: [] },
    { worker: 'c', state: 'ABSENT', reason: '', memory_bytes: 0, versions: [] },
  ],
};

test('who serves a model, who failed to, and why fewer than wanted do', () => {
  expect(renderModels([model]).split('\n')).toEqual([
    'Model   Wanted         Worker  Version  Status',
    '-----   ------         ------  -------  ------',
    'digits  3, by request  a       2        READY',
    expect.stringMatching(/^ {23}b {7}- {8}FAILED: broken\P{Cc}+$/u),
    '                       -       -        2 can take it',
  ]);
});

test('a model that nobody asked for, one that was unloaded, and none at all', () => {
  const idle = { ...model, reason: '', chosen: [], workers: [], replicas: { replicas: 'all' } };
  expect(renderModels([{ ...idle, wanted: false, by_request: false }])).toMatch(
    /digits {2}no {6}- {7}- {8}not loaded$/,
  );
  expect(renderModels([{ ...idle, wanted: false }])).toMatch(/digits {2}no, by request {2}- /);
  expect(renderModels([{ ...idle, by_request: false }])).toMatch(/digits {2}all {5}- /);
  expect(renderModels([])).toBe('No worker has a model.');
});

test('workers', () => {
  const worker = {
    id: 'a',
    mode: 'explicit',
    memory_bytes: 2 ** 30,
    memory_used_bytes: 2 ** 20,
    gpus: 1,
    leaving: true,
  };
  expect(renderWorkers([{ ...worker, models: ['x', 'y'] }]).split('\n')[2]).toBe(
    'a       explicit, ending  1 of 1024 MB   1     x, y',
  );
});
