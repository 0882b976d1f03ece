import { type Bus, createLocalBus, versionsPrefix } from '@shoal/bus';
import { systemClock } from '@shoal/core';
import { Catalog } from '../catalog/catalog';
import { modelConfig } from '../testing/model-configs';
import { checkRules } from './check-rules';
import type { CanaryRule, ShadowRule, TrafficRules } from './traffic-rules';

const config = modelConfig('m', 8, ['INPUT0 INT32[1]'], ['OUTPUT0 INT32[1]']);
let bus: Bus;
let catalog: Catalog;

beforeEach(async () => {
  bus = createLocalBus();
  catalog = new Catalog(bus, systemClock);
  for (const version of [1, 2, 3]) {
    const state = version === 3 ? 'LOADING' : 'READY';
    bus.announce(`${versionsPrefix}m/${version}`, { model: 'm', version, generation: 'g', state, reason: '', config });
  }
  await Promise.resolve();
});

afterEach(async () => {
  catalog.close();
  await bus.close();
});

function canary(change: Partial<CanaryRule> = {}): TrafficRules {
  return { stable: '1', canary: { version: '2', percent: 10, ...change } };
}

function shadow(change: Partial<ShadowRule> = {}): TrafficRules {
  return { stable: '1', shadow: { version: '2', percent: 100, tolerance: { absolute: 0, relative: 0 }, ...change } };
}

test('versions come out in canonical digits', () => {
  const rules = { ...canary({ version: '02' }), stable: '01' };
  expect(checkRules('m', rules, catalog)).toEqual(canary());
});

test('the stable version may be left to be the latest, and the canary an older one', () => {
  const rules = { stable: '', canary: { version: '1', percent: 0.5, header: { name: 'x-canary', values: [] } } };
  expect(checkRules('m', rules, catalog)).toEqual(rules);
  expect(checkRules('m', shadow({ percent: 0 }), catalog)).toEqual(shadow({ percent: 0 }));
});

test.each<[TrafficRules, string, string]>([
  [{ stable: '9' }, 'NOT_FOUND', "'m' version 9 is not found"],
  [canary({ version: '9' }), 'NOT_FOUND', "'m' version 9 is not found"],
  [canary({ version: '3' }), 'FAILED_PRECONDITION', "version 3 of model 'm' is not ready (LOADING)"],
  [canary({ version: '' }), 'INVALID_ARGUMENT', "the canary is '': expected a version number"],
  [canary({ version: '1' }), 'INVALID_ARGUMENT', 'the canary is version 1: it must be another than the stable one'],
  [{ ...canary(), stable: '' }, 'INVALID_ARGUMENT', 'the canary is version 2, the latest, which is the stable one as'],
  [canary({ percent: 101 }), 'INVALID_ARGUMENT', "the canary's share is 101: expected a percentage from 0 to 100"],
  [canary({ percent: Number.NaN }), 'INVALID_ARGUMENT', "the canary's share is NaN"],
  [canary({ header: { name: 'x canary', values: [] } }), 'INVALID_ARGUMENT', "'x canary' is no header's name"],
  [canary({ header: { name: 'x', values: ['y'.repeat(300)] } }), 'INVALID_ARGUMENT', 'a value of header x is longer'],
  [canary({ sticky: 'user-bin' }), 'INVALID_ARGUMENT', "'user-bin' is no header's name"],
  [shadow({ version: '1' }), 'INVALID_ARGUMENT', 'the shadow is version 1: it must be another than the stable one'],
  [shadow({ percent: -1 }), 'INVALID_ARGUMENT', "the shadow's share is -1"],
  [shadow({ tolerance: { absolute: -1, relative: 0 } }), 'INVALID_ARGUMENT', 'the absolute tolerance is -1'],
  [
    shadow({ tolerance: { absolute: 0, relative: Infinity } }),
    'INVALID_ARGUMENT',
    'the relative tolerance is Infinity',
  ],
])('%j: %s', (rules, code, text) => {
  expect(() => checkRules('m', rules, catalog)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(text) as string }),
  );
});

test('an unknown model', () => {
  expect(() => checkRules('n', { stable: '' }, catalog)).toThrow("unknown model: 'n' is not found");
});
