import { once } from 'node:events';
import path from 'node:path';
import { spawn } from 'node:child_process';
import type { Running } from './servers';

/** The test service on gRPC's C core, in a Python process of its own. */
export async function serveGrpcio(python: string): Promise<Running> {
  const script = path.join(__dirname, 'python', 'grpcio_server.py');
  const server = spawn(python, ['-B', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  const [line] = (await Promise.race([once(server.stdout, 'data'), exited])) as [unknown];
  return {
    port: Number(String(line)),
    async stop() {
      server.stdin.end();
      await exited;
    },
  };
}
