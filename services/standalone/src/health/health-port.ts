import { type HealthSource, addHealth, createServer } from '@shoal/rpc';
import { hostOf } from '../cluster/link-address';
import type { SignalShell } from '../first-signal';

/** A port with nothing on it but health. */
export interface HealthPort {
  close(): Promise<void>;
}

/** Whoever asks gets an answer of a few bytes; there is no more to be had here, so nobody needs to prove who he is. */
const maxMessageBytes = 4096;

/**
 * Serves grpc.health.v1 and nothing else, without TLS and without authentication: Kubernetes' gRPC probes can do neither.
 * @param address HOST:PORT; '' = nowhere: undefined.
 * @throws ShoalError INVALID_ARGUMENT for what is no address, UNAVAILABLE when it cannot be bound.
 */
export async function openHealthPort(
  address: string,
  source: HealthSource,
  shell: Pick<SignalShell, 'clock' | 'print'>,
): Promise<HealthPort | undefined> {
  if (address === '') return undefined;
  const host = hostOf('health-address', address);
  const server = createServer({ clock: shell.clock, maxMessageBytes });
  addHealth(server, source);
  const port = await server.listen(address);
  shell.print(`Answers grpc.health.v1 at ${host}:${port}`);
  return {
    close: () => server.drain(0),
  };
}
