import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:http';
import { ShoalError, seededRandom, systemClock } from '@shoal/core';
import { type OpenSender, type ProcessUse, processTree, runLevel, threadPacer, useBetween } from '@shoal/load';
import type { Peer } from './peers';
import type { Served } from './served-row';
import type { Effort } from './table';

/** A closed loop of POSTs of the same body, for servers that speak HTTP only. */
export async function httpLoad(peer: Peer, inFlight: number, effort: Effort): Promise<Served> {
  if (peer.body === undefined) throw new Error(`no --body ${peer.name}=FILE says what to post`);
  const body = readFileSync(peer.body);
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const trees: ProcessUse[][] = [];
  const result = await runLevel({
    level: { kind: 'closed', concurrency: inFlight },
    open: httpSender(peer, body, agent),
    clock: systemClock,
    random: seededRandom(1),
    createPacer: threadPacer,
    warmupMs: effort.warmupSeconds * 1000,
    measureMs: effort.seconds * 1000,
    drainMs: 10_000,
    onWindow: () => void (peer.pid > 0 && trees.push(processTree(peer.pid))),
  });
  agent.destroy();
  const us = (cpuMs: number) => (cpuMs * 1000) / result.answered;
  const used = useBetween(trees[0] ?? [], trees[1] ?? []);
  const sum = (root: boolean) =>
    used.filter(({ pid }) => (pid === peer.pid) === root).reduce((total, { cpuMs }) => total + us(cpuMs), 0);
  const { p50, p95, p99 } = result.fromSent.summary();
  return {
    ...{ rate: result.rate, p50, p95, p99, failed: result.failed, batch: Number.NaN, generatorLimit: false },
    rootUs: peer.pid > 0 ? sum(true) : Number.NaN,
    childrenUs: peer.pid > 0 ? sum(false) : Number.NaN,
    clientUs: us(result.generator.cpuMs),
  };
}

function httpSender({ target, body: file }: Peer, body: Buffer, agent: Agent): OpenSender {
  const { hostname, port, pathname } = new URL(target);
  const type = file?.endsWith('.json') ? 'application/json' : 'application/octet-stream';
  const options: RequestOptions = {
    ...{ agent, hostname, port, path: pathname, method: 'POST' },
    headers: { 'content-type': type, 'content-length': body.length },
  };
  return (ended) => ({
    send(slot) {
      const call = request(options, (response) => {
        response.resume();
        response.once('end', () => {
          const { statusCode = 0 } = response;
          ended(slot, statusCode < 300 ? undefined : new ShoalError('UNKNOWN', `HTTP status ${statusCode}`));
        });
      });
      call.once('error', (error) => ended(slot, new ShoalError('UNAVAILABLE', error.message)));
      call.end(body);
    },
    close: () => undefined,
  });
}
