import { TestAuthority } from '@shoal/testing';
import { credentials } from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findTool, run } from '../interop/tools';
import { type Shoal, startShoal } from '../support/shoal';
import { StockClient } from '../support/stock-client';
import { eventually } from '../support/waiting';

const grpcurl = findTool('grpcurl');
const describeGrpcurl = grpcurl === undefined ? describe.skip : describe;

jest.setTimeout(60_000);

// Both carriers: each has a way of its own to take up a new certificate.
describe.each(['native', 'grpc-js'])('serve with Triton’s options for TLS, on %s', (carrier) => {
  const authorities = [new TestAuthority(), new TestAuthority()] as const;
  let folder: string;
  let shoal: Shoal;
  const clients: StockClient[] = [];
  const file = (name: string) => path.join(folder, `${name}.pem`);

  function write(authority: TestAuthority): void {
    const { cert, key } = authority.issue(['localhost', '127.0.0.1']);
    writeFileSync(file('cert'), cert);
    writeFileSync(file('key'), key);
    writeFileSync(file('ca'), authority.ca);
  }

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'serve-tls-'));
    write(authorities[0]);
    const files = ['--grpc-server-cert', file('cert'), '--grpc-server-key', file('key')];
    shoal = await startShoal({ models: { simple: {} }, args: ['--grpc-use-ssl', ...files, '--grpc-carrier', carrier] });
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await shoal.stop();
    rmSync(folder, { recursive: true });
  });

  function connect(authority?: TestAuthority): StockClient {
    const made = new StockClient(shoal.address, authority && credentials.createSsl(authority.ca));
    clients.push(made);
    return made;
  }

  test('a stock client that trusts it is served, a plain one is not', async () => {
    expect(await connect(authorities[0]).call('ModelReady', { name: 'simple' })).toEqual({ ready: true });
    expect(await connect().failure('ServerLive', {})).toMatchObject({ code: 'UNAVAILABLE' });
  });

  describeGrpcurl('with grpcurl', () => {
    test('grpcurl is served', async () => {
      const args = [
        '-max-time',
        '20',
        '-cacert',
        file('ca'),
        shoal.address,
        'inference.GRPCInferenceService/ServerLive',
      ];
      const { output } = await run(grpcurl!, args);
      expect(JSON.parse(output)).toEqual({ live: true });
    });
  });

  test('a replaced certificate serves new connections, while the one that there is goes on', async () => {
    const old = connect(authorities[0]);
    expect(await old.call('ServerLive', {})).toEqual({ live: true });
    write(authorities[1]);
    await eventually(
      'the new certificate serves',
      async () => (await connect(authorities[1]).failure('ServerLive', {})).code === 'OK',
      30_000,
    );
    expect(await old.call('ServerLive', {})).toEqual({ live: true });
    expect(await connect(authorities[0]).failure('ServerLive', {})).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
