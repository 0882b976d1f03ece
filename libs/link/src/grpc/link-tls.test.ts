import { systemClock } from '@shoal/core';
import { type Renewable, type TlsMaterial, createClient } from '@shoal/rpc';
import { TestAuthority, assertNothingOpen, openNow, until } from '@shoal/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Link, LinkListener } from '../link';
import type { Hello } from '../messages';
import { createTransport } from '../transport';
import { linkService } from './frame-streams';
import type { LinkTls } from './link-tls';

const router: Hello = { kind: 'hello', role: 'router', id: 'router-1' };
const runner: Hello = { kind: 'hello', role: 'runner', id: 'runner-1' };
const name = 'shoal-link';
const cluster = new TestAuthority();
const strangers = new TestAuthority();

/** What a test renews by hand. */
class Renewed implements Renewable<TlsMaterial> {
  current: TlsMaterial;
  readonly #listeners = new Set<(material: TlsMaterial) => void>();

  constructor(first: TlsMaterial) {
    this.current = first;
  }

  onRenewed(renewed: (material: TlsMaterial) => void): () => void {
    this.#listeners.add(renewed);
    return () => void this.#listeners.delete(renewed);
  }

  renew(material: TlsMaterial): void {
    this.current = material;
    for (const listener of this.#listeners) listener(material);
  }
}

function issued(authority: TestAuthority, names: readonly string[] = [name], ca = authority.ca): TlsMaterial {
  return { ...authority.issue(names), ca };
}

function security(material: TlsMaterial): LinkTls {
  return { material: new Renewed(material), name };
}

let openBefore: string[];
let accepted: Link[];
let listeners: LinkListener[];

beforeEach(() => {
  openBefore = openNow();
  accepted = [];
  listeners = [];
});

afterEach(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  await assertNothingOpen(openBefore);
});

async function listen(tls: LinkTls | undefined, address = '127.0.0.1:0'): Promise<string> {
  const transport = createTransport({ clock: systemClock, ...(tls && { tls }) });
  const listener = await transport.listen(address, runner, (link) => accepted.push(link));
  listeners.push(listener);
  return listener.address;
}

function connect(address: string, tls: LinkTls | undefined): Promise<Link> {
  return createTransport({ clock: systemClock, ...(tls && { tls }) }).connect(address, router);
}

test('members link, at an address that no certificate names', async () => {
  const address = await listen(security(issued(cluster)));
  const link = await connect(address, security(issued(cluster)));
  expect(link.peer).toEqual(runner);
  await until(() => accepted.length === 1);
  const heard: unknown[] = [];
  accepted[0]!.onMessage((message) => heard.push(message));
  link.send({ kind: 'refused', offerId: 7 });
  await until(() => heard.length === 1);
  expect(heard).toEqual([{ kind: 'refused', offerId: 7 }]);
  await link.close();
});

test.each<[string, LinkTls | undefined]>([
  ['no TLS', undefined],
  ['a certificate of another authority', security(issued(strangers, [name], cluster.ca))],
  ['a certificate of the cluster’s authority for another name', security(issued(cluster, ['web-server']))],
])('who comes with %s is refused', async (_, theirs) => {
  const address = await listen(security(issued(cluster)));
  await expect(connect(address, theirs)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(accepted).toEqual([]);
});

test('who comes without a certificate is refused', async () => {
  const address = await listen(security(issued(cluster)));
  const client = createClient(address, { passthrough: true, tls: { ca: cluster.ca, serverName: name } });
  const stream = client.stream(linkService.Connect);
  const ended = new Promise((resolve) => stream.onEnd(resolve));
  expect(await ended).toMatchObject({ code: 'UNAVAILABLE' });
  client.close();
});

test.each<[string, LinkTls | undefined]>([
  ['without TLS', undefined],
  ['with a certificate of another authority', security(issued(strangers, [name], cluster.ca))],
  ['with a certificate of the cluster’s authority for another name', security(issued(cluster, ['web-server']))],
])('nobody is served by a listener %s', async (_, theirs) => {
  const address = await listen(theirs);
  await expect(connect(address, security(issued(cluster)))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(accepted).toEqual([]);
});

test('renewed on both sides, links that there are go on, and new ones use what is new', async () => {
  const [ours, theirs] = [new Renewed(issued(cluster)), new Renewed(issued(cluster))];
  const address = await listen({ material: theirs, name });
  const before = await connect(address, { material: ours, name });
  await until(() => accepted.length === 1);
  for (const side of [ours, theirs]) side.renew(issued(strangers));
  const after = await connect(address, { material: ours, name });
  await expect(connect(address, security(issued(cluster)))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const heard: unknown[] = [];
  accepted[0]!.onMessage((message) => heard.push(message));
  before.send({ kind: 'refused', offerId: 8 });
  await until(() => heard.length === 1);
  await Promise.all([before.close(), after.close()]);
});

test('unix sockets stay plain, and go on to share memory', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'link-tls-'));
  const address = await listen(security(issued(cluster)), `unix:${path.join(folder, 'socket')}`);
  const link = await connect(address, undefined);
  await until(() => link.sharesMemory);
  expect(accepted).toHaveLength(1);
  await link.close();
  rmSync(folder, { recursive: true });
});
