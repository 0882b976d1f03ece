import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Service, outputOf, startService } from '../child';
import { findNatsServer } from '../nats';
import { cli } from '../shoal';

/*
 * A cluster on this machine, in one process tree, so that its CPU time can be counted: nats-server, a router, a batching
 * instance, and a model-worker for each repository that is named. Says where it serves and which process is what.
 */

const shoal = [process.execPath, cli];
/** Who says what is of no interest here. */
const quiet = ['--log-info=false'];

async function main(repositories: readonly string[]): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'shoal-bench-nats-'));
  const services: Service[] = [];
  const start = async (command: readonly string[], ready: RegExp): Promise<Service> => {
    const service = await startService(command, ready);
    services.push(service);
    return service;
  };
  // In order: whoever is accepted first is let down last.
  process.once('SIGTERM', () => {
    void (async () => {
      for (const service of services.toReversed()) await service.stop();
      rmSync(folder, { recursive: true, force: true });
      process.exit(0);
    })();
  });
  const command = ['exec "$0" -a 127.0.0.1 -p -1 -js -sd "$1" 2>&1', findNatsServer(), folder];
  const nats = await start(['sh', '-c', ...command], /Listening for client connections on (\S+:[1-9]\d*)/);
  const joined = ['--nats', `nats://${nats.target}`];
  const batching = await start([...shoal, 'batching', ...joined, ...quiet], /Takes routers' links at (\S+)/);
  const workers = await Promise.all(
    repositories.map((repository) =>
      start(
        [...shoal, 'model-worker', ...joined, '--model-repository', repository, ...quiet],
        /Runners take links at (\S+),/,
      ),
    ),
  );
  const router = await start(
    [...shoal, 'router', ...joined, '--grpc-port', '0', ...quiet],
    /Started GRPCInferenceService at (\S+)/,
  );
  await whenServing(router.target);
  const pids = {
    nats: nats.pid,
    batching: batching.pid,
    router: router.pid,
    workers: workers.map(({ pid }) => pid),
  };
  process.stdout.write(`cluster ${JSON.stringify({ target: router.target, pids })}\n`);
}

/** Resolves when the router says that it serves. @throws Error when it does not within many tries. */
async function whenServing(target: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await outputOf([...shoal, 'health', '--url', target]);
      return;
    } catch (thrown) {
      if (tries === 20) throw thrown;
    }
  }
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  process.stderr.write(`${String(thrown)}\n`);
  process.exit(1);
});
