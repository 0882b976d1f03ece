import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/waiting';
import type { Running } from './servers';
import { start } from './tools';

/** grpc-go's interop server as a process of its own; it cannot choose a port itself. */
export async function serveOfficial(program: string, ...args: readonly string[]): Promise<Running> {
  const port = await freePort();
  const server = start(program, [`-port=${port}`, ...args]);
  const exited = once(server, 'exit');
  await eventually('the interop server listens', () => listens(port));
  return {
    port,
    async stop() {
      server.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
