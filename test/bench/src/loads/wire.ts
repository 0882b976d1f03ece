import { seededRandom, systemClock } from '@shoal/core';
import {
  type ProcessUse,
  processTree,
  runLevel,
  streamSender,
  threadPacer,
  unarySender,
  useBetween,
} from '@shoal/load';
import { createClient } from '@shoal/rpc';
import { echoService } from '../echo-service';
import type { WireJob, Wired } from '../tables/wire';

/*
 * Our client on an echo server. Started with a WireJob as JSON; writes a Wired as JSON.
 */

async function run({ target, pid, carrier, scenario, effort }: WireJob): Promise<Wired> {
  const { method, bytes, inFlight, connections, timeoutMs } = scenario;
  const client = createClient(target, { carrier, connections, passthrough: true });
  const request = Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => i));
  const next = () => request;
  const common = { client, next, method: echoService[method] };
  const trees: ProcessUse[][] = [];
  const result = await runLevel({
    level: { kind: 'closed', concurrency: inFlight },
    open:
      method === 'Bidi'
        ? streamSender({ ...common, streams: inFlight, readAnswer: () => ({ slot: -1, error: undefined }) })
        : unarySender({ ...common, ...(timeoutMs !== undefined && { timeoutMs }) }),
    clock: systemClock,
    random: seededRandom(1),
    createPacer: threadPacer,
    warmupMs: effort.warmupSeconds * 1000,
    measureMs: effort.seconds * 1000,
    drainMs: 5000,
    onWindow: () => void trees.push(processTree(pid)),
  });
  client.close();
  const [used] = useBetween(trees[0] ?? [], trees[1] ?? []);
  const { p50, p99 } = result.fromSent.summary();
  return {
    ...{ rate: result.rate, p50, p99, failed: result.failed },
    serverUs: ((used?.cpuMs ?? Number.NaN) * 1000) / result.answered,
    clientUs: (result.generator.cpuMs * 1000) / result.answered,
  };
}

void run(JSON.parse(process.argv[2] ?? '') as WireJob).then((result) =>
  process.stdout.write(JSON.stringify(result), () => process.exit(0)),
);
