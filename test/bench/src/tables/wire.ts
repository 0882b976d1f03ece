import path from 'node:path';
import { type Column, figure } from '@shoal/load';
import { type GrpcCarrier, grpcCarriers } from '@shoal/rpc';
import { type Service, outputOf, startService } from '../child';
import { type GoPrograms, buildGo } from '../go-programs';
import { spread } from '../served-row';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';

/** One way of using the wire. */
export interface Scenario {
  readonly name: string;
  readonly method: 'Unary' | 'Sink' | 'Bidi';
  /** Of each request. */
  readonly bytes: number;
  readonly inFlight: number;
  readonly connections: number;
  readonly timeoutMs?: number;
}

/** What `loads/wire` is told. */
export interface WireJob {
  readonly target: string;
  readonly pid: number;
  readonly carrier: GrpcCarrier;
  readonly scenario: Scenario;
  readonly effort: Effort;
}

/** Calls (or messages of a stream) a second; milliseconds; CPU microseconds a call. */
export interface Wired extends Measured {
  readonly p50: number;
  readonly p99: number;
  readonly serverUs: number;
  readonly clientUs: number;
  readonly failed: number;
}

const unary = (inFlight: number, connections = 1): Omit<Scenario, 'name'> => ({
  ...{ method: 'Unary', bytes: 32, inFlight, connections },
});

const scenarios: readonly Scenario[] = [
  { name: 'unary 32 B, 1 in flight', ...unary(1) },
  { name: 'unary 32 B, 16', ...unary(16) },
  { name: 'unary 32 B, 64', ...unary(64) },
  { name: 'unary 32 B, 64, with deadlines', ...unary(64), timeoutMs: 10_000 },
  { name: 'unary 32 B, 256', ...unary(256) },
  { name: 'unary 32 B, 256 on 4 connections', ...unary(256, 4) },
  { name: 'unary 602 KB → 4 KB, 8', method: 'Sink', bytes: 602_112, inFlight: 8, connections: 1 },
  { name: 'bidi 32 B, 64 streams', method: 'Bidi', bytes: 32, inFlight: 64, connections: 1 },
];

const ready = /serving at (\S+)/;

/** The servers by name; each runs for the whole table, idle while another one is measured. */
async function startServers(go: GoPrograms | undefined, say: (line: string) => void): Promise<Map<string, Service>> {
  const script = (name: string) => path.join(__dirname, '..', 'servers', `${name}.js`);
  const commands: [string, readonly string[]][] = [
    ...grpcCarriers.map((carrier): [string, readonly string[]] => [
      `shoal ${carrier}`,
      [process.execPath, script('echo'), carrier],
    ]),
    ['node:http2', [process.execPath, script('echo-http2')]],
    ...(go ? [['grpc-go', [go.server]] as [string, readonly string[]]] : []),
  ];
  const servers = new Map<string, Service>();
  for (const [name, command] of commands) {
    const server = await startService(command, ready).catch((thrown: unknown) => {
      say(`skipped: ${name}: ${String(thrown)}`);
    });
    if (server) servers.set(name, server);
  }
  return servers;
}

export const wireTable = {
  name: 'wire',
  async open(carrier: GrpcCarrier, say: (line: string) => void): Promise<OpenTable<Wired>> {
    const go = await buildGo(say);
    const servers = await startServers(go, say);
    const cells = scenarios.flatMap((scenario) =>
      [...servers].flatMap(([name, server]) => [
        {
          name: `${scenario.name} | ${name} | shoal ${carrier}`,
          async measure(effort: Effort) {
            const job: WireJob = { target: server.target, pid: server.pid, carrier, scenario, effort };
            const script = path.join(__dirname, '..', 'loads', 'wire.js');
            return JSON.parse(await outputOf([process.execPath, script, JSON.stringify(job)])) as Wired;
          },
        },
        ...(go ? [goCell(go, name, server, scenario)] : []),
      ]),
    );
    return {
      cells,
      columns,
      notes: (lines) => [
        'CPU in µs a call (a message, on bidi streams), of the server’s process and of the client’s.',
        ...comparisons(lines),
      ],
      async close() {
        for (const server of servers.values()) await server.stop();
      },
    };
  },
};

function goCell(go: GoPrograms, name: string, server: Service, scenario: Scenario): Cell<Wired> {
  const { method, bytes, inFlight, connections, timeoutMs } = scenario;
  return {
    name: `${scenario.name} | ${name} | grpc-go`,
    async measure(effort) {
      const options = {
        ...{ addr: server.target, pid: server.pid, method, bytes, n: inFlight, conns: connections },
        ...{ seconds: effort.seconds, warmup: effort.warmupSeconds, timeout: (timeoutMs ?? 0) / 1000 },
      };
      const argv = Object.entries(options).map(([key, value]) => `-${key}=${value}`);
      return JSON.parse(await outputOf([go.load, ...argv])) as Wired;
    },
  };
}

const part = (index: number) => (line: Line<Wired>) => line.name.split(' | ')[index] ?? '';

const columns: readonly Column<Line<Wired>>[] = [
  { title: 'calls', cell: part(0) },
  { title: 'server', cell: part(1) },
  { title: 'client', cell: part(2) },
  { title: 'calls/s', cell: ({ median }) => figure(median.rate) },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'p50 ms', cell: ({ median }) => figure(median.p50) },
  { title: 'p99 ms', cell: ({ median }) => figure(median.p99) },
  { title: 'server µs', cell: ({ median }) => figure(median.serverUs) },
  { title: 'client µs', cell: ({ median }) => figure(median.clientUs) },
  { title: 'failed', cell: ({ median }) => String(median.failed) },
];

/** How much more CPU the other servers take than the native one, with the same client. */
function comparisons(lines: readonly Line<Wired>[]): string[] {
  return lines
    .filter((line) => part(1)(line) === 'shoal native')
    .map((native) => {
      const others = lines.filter((line) => {
        return line !== native && part(0)(line) === part(0)(native) && part(2)(line) === part(2)(native);
      });
      const ratios = others.map((other) => {
        return `${part(1)(other)} ${figure(other.median.serverUs / native.median.serverUs)}×`;
      });
      return `${part(0)(native)}, client ${part(2)(native)}: server CPU of the native one: ${ratios.join(', ')}`;
    });
}
