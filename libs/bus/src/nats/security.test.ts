import { systemClock, systemRandom } from '@shoal/core';
import { TestAuthority, assertNothingOpen, openNow } from '@shoal/testing';
import { nkeys } from '@nats-io/transport-node';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type NatsServer, findNatsServer, startNats } from '../../../../test/support/nats';
import { eventually } from '../../../../test/support/waiting';
import type { Bus } from '../bus';
import { createNatsBus } from './nats-bus';
import type { NatsTls } from './settings';

const program = findNatsServer();
const { createAccount, createOperator, createUser } = nkeys;
type KeyPair = ReturnType<typeof createUser>;

const untrusted = "the server's certificate is not from an authority that is trusted";
const describeWithNats = program === undefined ? describe.skip : describe;

describeWithNats('the NATS bus and a server that does not let in everybody', () => {
  const authority = new TestAuthority();
  let folder: string;
  let open: string[];
  let server: NatsServer;
  let problems: string[];
  let connected: number;
  const buses: Bus[] = [];

  beforeEach(() => {
    open = openNow();
    folder = mkdtempSync(path.join(tmpdir(), 'nats-security-'));
    problems = [];
    connected = 0;
    write('ca', authority.ca);
    write('other-ca', new TestAuthority().ca);
    issue('client', authority, ['a service']);
    issue('stranger', new TestAuthority(), ['a service']);
  });

  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await server.close();
    await assertNothingOpen(open);
    rmSync(folder, { recursive: true });
  });

  function file(name: string): string {
    return path.join(folder, `${name}.pem`);
  }

  function write(name: string, text: Buffer): void {
    writeFileSync(file(name), text);
  }

  function issue(name: string, by: TestAuthority, names: readonly string[]): void {
    const { cert, key } = by.issue(names);
    write(name, cert);
    write(`${name}-key`, key);
  }

  async function serve(names: readonly string[], ...more: string[]): Promise<void> {
    issue('server', authority, names);
    const files = ['--tlscert', file('server'), '--tlskey', file('server-key'), '--tlscacert', file('ca')];
    server = await startNats(program!, ['--tls', ...files, ...more]);
  }

  async function join(url: string, tls?: NatsTls): Promise<void> {
    const logger = {
      info: () => void (connected += 1),
      warn: (_: string, fields = {}) => void problems.push((fields as { problem?: string }).problem ?? ''),
    };
    const security = tls && { tls };
    const bus = await createNatsBus({ url, clock: systemClock, random: systemRandom, name: 'a', logger, ...security });
    buses.push(bus);
  }

  /** Two buses hear each other; gives back how often one connected, and what went wrong. */
  async function meeting(): Promise<[number, string[]]> {
    const [one, other] = buses;
    const heard: string[] = [];
    other!.watch('', (key) => void heard.push(key));
    one!.announce('here', { I: 'am' });
    await eventually('the announcement is heard', () => heard.includes('here'));
    return [connected, problems];
  }

  const at = (host: string, user = '') => `${user}${host}:${server.port}`;

  test.each(['localhost', '127.0.0.1'])('a certificate for %s alone is enough for who dials that', async (host) => {
    await serve([host]);
    for (let i = 0; i < 2; i += 1) await join(`nats://${at(host)}`, { caFile: file('ca') });
    expect(await meeting()).toEqual([2, []]);
  });

  test('tls:// asks for TLS; the system’s authorities vouch for nobody here', async () => {
    await serve(['localhost']);
    await join(`tls://${at('localhost')}`);
    expect([connected, problems]).toEqual([0, [untrusted]]);
  });

  test('client certificates and a password', async () => {
    await serve(['localhost'], '--tlsverify', '--user', 'shoal', '--pass', 'p@ss:word');
    const url = `nats://${at('localhost', 'shoal:p%40ss%3Aword@')}`;
    const client = { caFile: file('ca'), certFile: file('client'), keyFile: file('client-key') };
    for (let i = 0; i < 2; i += 1) await join(url, client);
    expect(await meeting()).toEqual([2, []]);
  });

  test.each<[string, string, NatsTls | undefined, string | RegExp]>([
    ['another authority than the server’s', 'shoal:right@', { caFile: 'other-ca' }, untrusted],
    [
      'a certificate of another authority',
      'shoal:right@',
      { caFile: 'ca', certFile: 'stranger', keyFile: 'stranger-key' },
      'it may not accept the certificate of this process',
    ],
    ['no certificate', 'shoal:right@', { caFile: 'ca' }, /it may not accept the certificate|certificate required/],
    [
      'a wrong password',
      'shoal:wrong@',
      { caFile: 'ca', certFile: 'client', keyFile: 'client-key' },
      /^Authorization Violation/i,
    ],
    ['no TLS', 'shoal:right@', undefined, /TLS|certificate/],
  ])('with %s it stays outside, and says why', async (_, user, names, problem) => {
    await serve(['localhost'], '--tlsverify', '--user', 'shoal', '--pass', 'right');
    const tls = names && Object.fromEntries(Object.entries(names).map(([part, name]) => [part, file(name as string)]));
    await join(`nats://${at('localhost', user)}`, tls);
    await eventually('it says why', () => problems.length > 0);
    expect(connected).toBe(0);
    expect(problems[0]).toMatch(problem);
  });

  test('a server without TLS is told nothing where TLS is asked for', async () => {
    server = await startNats(program!, ['--user', 'shoal', '--pass', 'right']);
    await join(`nats://${at('localhost', 'shoal:right@')}`, { caFile: file('ca') });
    await join(`tls://${at('localhost', 'shoal:right@')}`);
    await eventually('both say why', () => problems.length > 1);
    expect(connected).toBe(0);
    expect(problems.slice(0, 2)).toEqual(["server does not support 'tls'", "server does not support 'tls'"]);
  });

  test('a server for another name is not believed', async () => {
    await serve(['elsewhere']);
    for (const host of ['localhost', '127.0.0.1']) await join(`nats://${at(host)}`, { caFile: file('ca') });
    expect(connected).toBe(0);
    const problem = "the server's certificate is for another name than the URL's";
    expect(problems).toEqual([problem, problem]);
  });

  test('an account’s credentials, read anew for each connection', async () => {
    const { config, creds } = accounts();
    writeFileSync(file('nats-config'), config);
    server = await startNats(program!, ['-c', file('nats-config')]);
    write('creds', Buffer.from('not yet written'));
    const logger = {
      info: () => void (connected += 1),
      warn: (message: string) => void problems.push(message),
    };
    const url = `nats://${at('127.0.0.1')}`;
    const parts = { url, clock: systemClock, random: systemRandom, name: 'a', logger, credsFile: file('creds') };
    buses.push(await createNatsBus(parts));
    expect(connected).toBe(0);
    expect(problems).not.toEqual([]);
    problems = [];
    write('creds', Buffer.from(creds));
    await eventually('it is let in', () => connected === 1);
    buses.push(await createNatsBus(parts));
    expect(await meeting()).toEqual([2, []]);
  });
});

/** What nsc would make: an operator, its account for a service, and the service's credentials. */
function accounts(): { config: string; creds: string } {
  const [operator, account, system, user] = [createOperator(), createAccount(), createAccount(), createUser()];
  const everything = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const of = (one: KeyPair, by: KeyPair, nats: object) => jwt(by, one, { version: 2, ...nats });
  const accountJwt = of(account, operator, { type: 'account', limits: { ...everything, ...storage } });
  const systemJwt = of(system, operator, { type: 'account', limits: everything });
  const userJwt = of(user, account, { type: 'user', subs: -1, data: -1, payload: -1 });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    config: [
      `operator: ${of(operator, operator, { type: 'operator' })}`,
      `system_account: ${system.getPublicKey()}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: ${accountJwt}, ${system.getPublicKey()}: ${systemJwt} }`,
    ].join('\n'),
    creds: [
      `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------`,
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    ].join('\n\n'),
  };
}

function jwt(by: KeyPair, subject: KeyPair, nats: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = {
    jti: subject.getPublicKey(),
    iat: 1,
    iss: by.getPublicKey(),
    sub: subject.getPublicKey(),
    name: 'x',
  };
  const text = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode({ ...claims, nats })}`;
  return `${text}.${Buffer.from(by.sign(Buffer.from(text))).toString('base64url')}`;
}
