import type { ChannelCredentials } from '@grpc/grpc-js';
import { type ChildProcess, spawn } from 'node:child_process';
import { ControlClient } from './control-client';
import { type NatsServer, findNatsServer, startNats } from './nats';
import { Network } from './network';
import { cli, root } from './paths';
import { childrenOf, isAlive } from './processes';
import { type ModelSource, TemporaryRepository } from './repository';
import { StockClient } from './stock-client';
import { eventually, within } from './waiting';

/** For the services' processes: `SHOAL_TEST_NODE_ARGS=--expose-gc …`. */
const nodeArgs = (process.env['SHOAL_TEST_NODE_ARGS'] ?? '').split(' ').filter(Boolean);

/** One service of a cluster, as a real process. */
export class ClusterMember {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<number | null>;
  output = '';
  readonly #child: ChildProcess;

  constructor(name: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.#child = spawn(process.execPath, [...nodeArgs, cli, ...argv], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid ?? 0;
    this.exited = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    }
  }

  /** Resolves with the match once its output holds it. */
  says(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    return eventually(
      `${this.name} says ${pattern}`,
      () => {
        const found = pattern.exec(this.output);
        if (found === null && !isAlive(this.pid)) throw new Error(`it has ended: ${this.output.slice(-2000)}`);
        return found ?? undefined;
      },
      timeoutMs,
    );
  }

  /** Pids of its runners, where it is a model-worker. */
  runners(): number[] {
    return childrenOf(this.pid).filter(isAlive);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it by kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Ends it as an operator would. @throws Error unless it ends with 0 in time. */
  async stop(timeoutMs = 40_000): Promise<void> {
    this.signal('SIGTERM');
    const code = await within(`the end of ${this.name}`, this.exited, timeoutMs);
    if (code !== 0) throw new Error(`${this.name} ended with ${code}: ${this.output.slice(-2000)}`);
  }
}

/** How a cluster is protected. */
export interface ClusterSecurity {
  /** What nats-server is told. */
  readonly natsArgs: readonly string[];
  /** What the services are told. */
  args(service: ServiceName): readonly string[];
  /** How they reach NATS. */
  natsUrl(nats: NatsServer): string;
  /** What clients bring. */
  readonly credentials: ChannelCredentials;
}

export type ServiceName = 'router' | 'batching' | 'model-worker' | 'explainability';

const saysWhenUp = {
  batching: /Takes routers' links at/,
  'model-worker': /Runners take links at/,
  explainability: /Takes routers' calls at/,
} as const;

/** A router that listens, with a client of its own. */
export interface Door {
  readonly member: ClusterMember;
  /** HOST:PORT */
  readonly address: string;
  readonly client: StockClient;
  readonly control: ControlClient;
}

/** Services as processes of their own around a real nats-server. Each worker has a copy of the repository. */
export class Cluster {
  readonly nats: NatsServer;
  readonly members: ClusterMember[] = [];
  readonly doors: Door[] = [];
  /** Carries all between the processes, and to NATS, where a test asked for it; clients come another way. */
  readonly network: Network | undefined;
  readonly #models: Readonly<Record<string, ModelSource>>;
  /** The workers' repositories, in the order of their starts. */
  readonly repositories: TemporaryRepository[] = [];
  readonly #security: ClusterSecurity | undefined;
  readonly #env: Readonly<Record<string, string>>;
  #names = 0;

  constructor(
    nats: NatsServer,
    models: Readonly<Record<string, ModelSource>>,
    {
      network,
      security,
      env = {},
    }: {
      readonly network?: Network | undefined;
      readonly security?: ClusterSecurity | undefined;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ) {
    this.#security = security;
    this.#env = env;
    this.nats = nats;
    this.#models = models;
    this.network = network;
    network?.register(`127.0.0.1:${nats.port}`, 'nats');
  }

  /** The living processes of a service, oldest first. */
  living(service: ServiceName): ClusterMember[] {
    return this.members.filter(({ name, pid }) => name.startsWith(`${service}-`) && isAlive(pid));
  }

  /** Routers that live. */
  get openDoors(): Door[] {
    return this.doors.filter(({ member }) => isAlive(member.pid));
  }

  /** Starts one more service; resolves when it says what it serves. */
  async start(service: ServiceName, args: readonly string[] = []): Promise<ClusterMember> {
    const number = (this.#names += 1);
    const name = `${service}-${number}`;
    const url = this.#security?.natsUrl(this.nats) ?? this.nats.url;
    const argv: string[] = [service, '--nats', url, '--id', name, ...args, ...(this.#security?.args(service) ?? [])];
    if (service === 'router' && !args.includes('--grpc-port')) argv.push('--grpc-port', '0');
    if (service === 'model-worker') {
      const repository = new TemporaryRepository(this.#models);
      this.repositories.push(repository);
      argv.push('--model-repository', repository.folder);
    }
    const host = `127.0.1.${number}`;
    if (this.network) {
      this.network.register(host, name);
      if (service === 'batching' || service === 'explainability') argv.push('--link-address', `${host}:0`);
      if (service === 'model-worker') argv.push('--runner-host', host);
    }
    const member = new ClusterMember(name, argv, { ...this.#env, ...this.network?.environment(name) });
    this.members.push(member);
    if (service === 'router') {
      const [, address = ''] = await member.says(/Started GRPCInferenceService at (\S+)/);
      const credentials = this.#security?.credentials;
      const client = new StockClient(address, credentials);
      this.doors.push({ member, address, client, control: new ControlClient(address, credentials) });
    } else await member.says(saysWhenUp[service]);
    return member;
  }

  /** Ends a process, as an operator would or by kill -9, then starts another one in its place; a router at the same address. */
  async replace(member: ClusterMember, how: 'stop' | 'kill' = 'stop'): Promise<ClusterMember> {
    await member[how]();
    return this.start(serviceOf(member), this.#place(member));
  }

  #place(member: ClusterMember): string[] {
    const port = this.doors.findLast((door) => door.member === member)?.address.split(':')[1];
    return port === undefined ? [] : ['--grpc-port', port];
  }

  /** Resolves when every router says that it is ready. */
  async ready(): Promise<void> {
    for (const { client, member } of this.openDoors) {
      await eventually(`${member.name} is ready`, async () => (await client.check()).status === 'SERVING', 20_000);
    }
  }

  /** Ends everything at once; fails if a runner outlives its worker. */
  async close(): Promise<void> {
    const runners = this.members.flatMap((member) => member.runners());
    for (const { client, control } of this.doors) {
      client.close();
      control.close();
    }
    await Promise.all(this.members.map((member) => member.kill()));
    await this.nats.close();
    await this.network?.close();
    // One that stands still does not see that its worker is gone.
    for (const pid of runners.filter(isAlive)) process.kill(pid, 'SIGCONT');
    for (const repository of this.repositories) repository.delete();
    await eventually('no runner outlives its worker', () => !runners.some(isAlive), 10_000);
  }
}

export function serviceOf({ name }: ClusterMember): ServiceName {
  return name.replace(/-\d+$/, '') as ServiceName;
}

/** Undefined where there is no nats-server to be had (never in CI). */
export async function startCluster(
  models: Readonly<Record<string, ModelSource>>,
  counts: Readonly<Record<Exclude<ServiceName, 'explainability'>, number> & { explainability?: number }>,
  {
    network = false,
    security,
    args = {},
    env = {},
  }: {
    readonly network?: boolean;
    readonly security?: ClusterSecurity;
    /** Further arguments of each process of a service. */
    readonly args?: Readonly<Partial<Record<ServiceName, readonly string[]>>>;
    /** Further variables of all processes. */
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Cluster | undefined> {
  const program = findNatsServer();
  if (program === undefined) return undefined;
  const cluster = new Cluster(await startNats(program, security?.natsArgs), models, {
    network: network ? await Network.start() : undefined,
    security,
    env,
  });
  try {
    const services = Object.entries(counts).flatMap(([service, count]) =>
      Array.from({ length: count }, () => cluster.start(service as ServiceName, args[service as ServiceName])),
    );
    await Promise.all(services);
    await cluster.ready();
    return cluster;
  } catch (thrown) {
    const said = cluster.members.map(({ name, output }) => `== ${name}\n${output.slice(-1500)}`);
    await cluster.close();
    throw new Error(`the cluster did not start: ${String(thrown)}\n${said.join('\n')}`, { cause: thrown });
  }
}
