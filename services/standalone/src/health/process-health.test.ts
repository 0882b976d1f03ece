import type { HealthSource, ServingStatus } from '@shoal/rpc';
import { ProcessHealth, livenessService } from './process-health';

let health: ProcessHealth;
let heard: string[];

beforeEach(() => {
  health = new ProcessHealth();
  heard = [];
  health.onChange(() => heard.push(health.status()));
});

test('a process serves once it is able to, until it begins to end', () => {
  expect([health.status(), health.ended()]).toEqual(['NOT_SERVING', false]);
  health.ready();
  health.end();
  expect(heard).toEqual(['SERVING', 'NOT_SERVING']);
  expect(health.ended()).toBe(true);
  health.ready();
  expect(health.status()).toBe('NOT_SERVING');
});

test('it lives all the while', () => {
  const lives = () => health.statusOf(livenessService);
  expect(lives()).toBe('SERVING');
  health.end();
  expect(lives()).toBe('SERVING');
  expect(health.statusOf('another')).toBeUndefined();
});

test('where somebody knows better, that holds, but never at its end', () => {
  let status: ServingStatus = 'NOT_SERVING';
  let change = () => undefined as void;
  const source: HealthSource = {
    status: () => status,
    onChange(changed) {
      change = changed;
      return () => undefined;
    },
  };
  health.follow(source);
  status = 'SERVING';
  change();
  health.end();
  expect(heard).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
});
