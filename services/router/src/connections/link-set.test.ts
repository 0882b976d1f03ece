import { type Bus, createLocalBus } from '@shoal/bus';
import { seededRandom, systemClock } from '@shoal/core';
import { type Link, type LinkListener, type LinkTransport, createTransport } from '@shoal/link';
import { silentLogger } from '@shoal/telemetry';
import { FakeClock } from '@shoal/testing';
import { until } from '../testing/simple-request';
import { LinkSet } from './link-set';

let bus: Bus;
let transport: LinkTransport;
let clock: FakeClock;
let set: LinkSet;
let heard: string[];
let listeners: LinkListener[];

beforeEach(() => {
  bus = createLocalBus();
  transport = createTransport({ clock: systemClock });
  clock = new FakeClock();
  heard = [];
  listeners = [];
  const self = { kind: 'hello', role: 'router', id: 'router-1' } as const;
  const deps = { bus, transport, clock, random: seededRandom(1), logger: silentLogger, self };
  set = new LinkSet(deps, 'runners/', {
    opened: (id) => heard.push(`opened ${id}`),
    message: (id, message) => heard.push(`${message.kind} ${id}`),
    closed: (id) => heard.push(`closed ${id}`),
  });
});

afterEach(async () => {
  await set.close();
  for (const listener of listeners) await listener.close();
  await bus.close();
  if (clock.pending !== 0) throw new Error('a timer is left');
});

async function listen(id: string, accept: (link: Link) => void = () => undefined): Promise<LinkListener> {
  const listener = await transport.listen(`inproc:${id}`, { kind: 'hello', role: 'runner', id }, accept);
  listeners.push(listener);
  return listener;
}

function announce(id: string): void {
  bus.announce(`runners/${id}`, { id, address: `inproc:${id}` });
}

test('an announced instance is connected, and heard', async () => {
  await listen('r1', (link) => link.send({ kind: 'refused', offerId: 1 }));
  announce('r1');
  await until(() => heard.length === 2);
  expect(heard).toEqual(['opened r1', 'refused r1']);
  expect(set.get('r1')?.peer.id).toBe('r1');
  expect([...set.reachable()]).toEqual(['r1']);
});

test('one that cannot be reached is tried again until it can', async () => {
  announce('r1');
  await until(() => clock.pending === 1);
  clock.advance(100);
  await until(() => clock.pending === 1);
  expect(set.get('r1')).toBeUndefined();
  expect([...set.reachable()]).toEqual([]);
  await listen('r1');
  clock.advance(100);
  await until(() => heard.length === 1);
  expect(heard).toEqual(['opened r1']);
});

test('a link that breaks is told, and opened anew while the instance is announced', async () => {
  const listener = await listen('r1');
  announce('r1');
  await until(() => heard.length === 1);
  await listener.close();
  await until(() => heard.length === 2);
  expect(set.get('r1')).toBeUndefined();
  await listen('r1');
  clock.advance(100);
  await until(() => heard.length === 3);
  expect(heard).toEqual(['opened r1', 'closed r1', 'opened r1']);
});

test('one that is withdrawn finishes what it has: its link stays until it ends it', async () => {
  let theirs: Link | undefined;
  const listener = await listen('r1', (link) => (theirs = link));
  announce('r1');
  await until(() => heard.length === 1 && theirs !== undefined);
  bus.withdraw('runners/r1');
  await until(() => [...set.reachable()].length === 0);
  expect(set.get('r1')).toBeDefined();
  theirs?.send({ kind: 'refused', offerId: 1 });
  await until(() => heard.length === 2);
  await listener.close();
  await until(() => heard.length === 3);
  expect(heard).toEqual(['opened r1', 'refused r1', 'closed r1']);
  expect(set.get('r1')).toBeUndefined();
});

test('one that is withdrawn and never ends its link loses it in the end', async () => {
  await listen('r1');
  announce('r1');
  await until(() => heard.length === 1);
  bus.withdraw('runners/r1');
  await until(() => clock.pending === 1);
  clock.advance(60_000);
  await until(() => heard.length === 2);
  expect(heard).toEqual(['opened r1', 'closed r1']);
  expect(set.get('r1')).toBeUndefined();
});
