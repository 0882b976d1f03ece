import { type Column, figure } from '@shoal/load';
import { type Peer, type PeerOptions, openPeers } from '../peers';
import { httpLoad } from '../http-load';
import { type Served, generatorNotes, servedColumns, toServed } from '../served-row';
import { runBench } from '../shoal';
import type { Cell, Effort, Line, OpenTable } from '../table';
import { loadsOf, workloads } from './serve';

/** Levels that the slowest of them can bear. */
const maxInFlight = 64;

const part = (index: number) => (line: Line<Served>) => line.name.split(' | ')[index] ?? '';

export const peersTable = {
  name: 'peers',
  async open(options: PeerOptions, say: (line: string) => void): Promise<OpenTable<Served>> {
    const { peers, close } = await openPeers(options, say);
    const loads = workloads.flatMap((workload) =>
      loadsOf(workload).map((load) => ({ ...load, model: workload.model })),
    );
    const cells = loads
      .filter(({ name }) => Number(name.slice(name.lastIndexOf(' ') + 1)) <= maxInFlight)
      .flatMap(({ name, flags, model }) =>
        peers
          .filter((peer) => peer.models.has(model.name) && (peer.kind === 'grpc' || name.includes('unary')))
          .map((peer): Cell<Served> => {
            return { name: `${name} | ${peer.name}`, measure: (effort) => measure(peer, effort, flags) };
          }),
      );
    return { cells, columns, notes: (lines) => [...ratios(lines), ...generatorNotes(lines)], close };
  },
};

async function measure(peer: Peer, effort: Effort, flags: readonly string[]): Promise<Served> {
  if (peer.kind === 'http') return httpLoad(peer, Number(flags[flags.indexOf('--concurrency-range') + 1]), effort);
  const served = toServed(await runBench(peer, effort, flags), peer.pid);
  // Of others only the whole is told: their processes are theirs to divide.
  return peer.name === 'shoal' ? served : { ...served, rootUs: totalUs(served), childrenUs: Number.NaN };
}

/** CPU of all the server's processes. */
function totalUs({ rootUs, childrenUs }: Served): number {
  return rootUs + (Number.isNaN(childrenUs) ? 0 : childrenUs);
}

const columns: readonly Column<Line<Served>>[] = [
  { title: 'load, in flight', cell: part(0) },
  { title: 'server', cell: part(1) },
  ...servedColumns,
];

/** Shoal against each peer, load by load. */
function ratios(lines: readonly Line<Served>[]): string[] {
  const ours = lines.filter((line) => part(1)(line) === 'shoal');
  return ours.flatMap((shoal) => {
    const others = lines.filter((line) => line !== shoal && part(0)(line) === part(0)(shoal));
    return others.map(({ name, median }) => {
      const [load, peer] = name.split(' | ');
      return (
        `${load}: Shoal's rate is ${figure(shoal.median.rate / median.rate)}× that of ${peer}, ` +
        `its p50 ${figure(shoal.median.p50 / median.p50)}×, its CPU ${figure(totalUs(shoal.median) / totalUs(median))}×`
      );
    });
  });
}
