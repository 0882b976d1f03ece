import assert from 'node:assert';
import { type MethodDefinition, type RpcClient, createClient, createServer, grpcCarriers, loadService } from '.';
import { systemClock } from '@shoal/core';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { addHealth, type ServingStatus } from './health';
import type { RpcServer } from './server';

type Health = Record<'Check' | 'Watch', MethodDefinition<{ service: string }, { status: string }>>;

const { Check, Watch } = loadService('grpc/health/v1/health.proto', 'grpc.health.v1.Health') as unknown as Health;
describe.each(grpcCarriers)('health on %s', (carrier) => {
  let openBefore: string[];
  let server: RpcServer;
  let client: RpcClient;
  let status: ServingStatus;
  const listeners = new Set<() => void>();

  beforeEach(async () => {
    openBefore = openNow();
    status = 'NOT_SERVING';
    server = createServer({ clock: systemClock, carrier });
    addHealth(server, {
      status: () => status,
      onChange(changed) {
        listeners.add(changed);
        return () => listeners.delete(changed);
      },
      statusOf: (service) =>
        service === 'inference.GRPCInferenceService' ? status : service === 'liveness' ? 'SERVING' : undefined,
    });
    client = createClient(`127.0.0.1:${await server.listen('127.0.0.1:0')}`, { carrier });
  });

  afterEach(async () => {
    client.close();
    await server.drain(1000);
    assert.equal(listeners.size, 0);
    await assertNothingOpen(openBefore);
  });

  function change(next: ServingStatus): void {
    status = next;
    for (const listener of listeners) listener();
  }

  test('Check speaks of the server where it does not know the service that it is asked about', async () => {
    await expect(client.unary(Check, { service: '' })).resolves.toEqual({ status: 'NOT_SERVING' });
    await expect(client.unary(Check, { service: 'liveness' })).resolves.toEqual({ status: 'SERVING' });
    change('SERVING');
    await expect(client.unary(Check, { service: 'any' })).resolves.toEqual({ status: 'SERVING' });
  });

  test.each(['', 'inference.GRPCInferenceService'])(
    'Watch tells the state now and each change: "%s"',
    async (service) => {
      const stream = client.stream(Watch);
      const heard: string[] = [];
      stream.onMessage((message) => heard.push(message.status));
      stream.write({ service });
      stream.end();
      await until(() => heard.length === 1);
      change('SERVING');
      change('SERVING');
      change('NOT_SERVING');
      await until(() => heard.length === 3);
      expect(heard).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
      stream.cancel();
      await until(() => listeners.size === 0);
    },
  );

  test('Watch of a service that is not known says so and stays open', async () => {
    const stream = client.stream(Watch);
    const heard: string[] = [];
    let ended = false;
    stream.onMessage((message) => heard.push(message.status));
    stream.onEnd(() => (ended = true));
    stream.write({ service: 'nobody' });
    stream.end();
    await until(() => heard.length === 1);
    await client.unary(Check, { service: '' });
    expect(heard).toEqual(['SERVICE_UNKNOWN']);
    expect(ended).toBe(false);
    stream.cancel();
    await until(() => ended);
  });

  test('a drain ends the watches', async () => {
    const stream = client.stream(Watch);
    stream.onMessage(() => undefined);
    const end = new Promise((resolve) => stream.onEnd(resolve));
    stream.write({ service: '' });
    stream.end();
    await until(() => listeners.size === 1);
    await server.drain(0);
    await expect(end).resolves.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
