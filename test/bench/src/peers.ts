import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { type MethodDefinition, createClient, loadService } from '@shoal/rpc';
import { benchModels } from './models/bench-models';
import { startShoal } from './shoal';
import { temporaryRepository } from './temporary-repository';

/** Other servers, by name, as the command line gives them. */
export interface PeerOptions {
  /** `HOST:PORT` of a server of the V2 gRPC protocol, or the `http://…` to which requests of the MLP are posted. */
  readonly urls: ReadonlyMap<string, string>;
  /** Shell commands that start them; BENCH_MODELS is the folder with the models. */
  readonly commands: ReadonlyMap<string, string>;
  /** Processes of servers that run already, for their CPU. */
  readonly pids: ReadonlyMap<string, number>;
  /** For HTTP: the file that is posted. */
  readonly bodies: ReadonlyMap<string, string>;
  readonly shoalFlags: readonly string[];
}

/** A server that answers. */
export interface Peer {
  readonly name: string;
  readonly kind: 'grpc' | 'http';
  readonly target: string;
  /** 0: unknown. */
  readonly pid: number;
  readonly body: string | undefined;
  /** Those of the bench models that it serves. */
  readonly models: ReadonlySet<string>;
}

const startMs = 180_000;
const probeMs = 500;
const stopMs = 15_000;

/** Starts Shoal and what there are commands for; what does not answer is skipped with a message. */
export async function openPeers(
  options: PeerOptions,
  say: (line: string) => void,
): Promise<{ peers: Peer[]; close: () => Promise<void> }> {
  const repository = temporaryRepository();
  const closers: (() => Promise<void>)[] = [() => Promise.resolve(repository.remove())];
  const close = async () => {
    for (const closer of closers.toReversed()) await closer();
  };
  const peers: Peer[] = [];
  try {
    const shoal = await startShoal(repository.folder, options.shoalFlags);
    closers.push(() => shoal.stop());
    const all = new Set(Object.values(benchModels).map(({ name }) => name as string));
    peers.push({ name: 'shoal', kind: 'grpc', target: shoal.target, pid: shoal.pid, body: undefined, models: all });
    for (const [name, url] of options.urls) {
      const command = options.commands.get(name);
      let pid = options.pids.get(name) ?? 0;
      let child: ChildProcess | undefined;
      if (command !== undefined) {
        const env = { ...process.env, BENCH_MODELS: repository.folder };
        // A group of its own, so that its children end with it.
        child = spawn('sh', ['-c', `exec ${command}`], {
          detached: true,
          stdio: ['ignore', 'inherit', 'inherit'],
          env,
        });
        const started = child;
        closers.push(() => endGroup(started));
        pid = child.pid ?? 0;
      }
      const http = url.startsWith('http://');
      const models = await (http
        ? reachable(url)
        : modelsOf(url, command === undefined ? probeMs * 4 : startMs, child));
      if (models.size === 0) say(`skipped: ${name}: nothing at ${url} serves any of ${[...all].join(', ')}`);
      else peers.push({ name, kind: http ? 'http' : 'grpc', target: url, pid, body: options.bodies.get(name), models });
    }
    return { peers, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** The bench models that a server of the V2 protocol has ready, once it is ready itself. */
async function modelsOf(target: string, waitMs: number, child: ChildProcess | undefined): Promise<Set<string>> {
  const service = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');
  const client = createClient(target);
  const ready = (method: string, request: object) =>
    client
      .unary(service[method] as MethodDefinition<object, { ready: boolean }>, request, { timeoutMs: 5000 })
      .then((answer) => answer.ready)
      .catch(() => false);
  const models = new Set<string>();
  try {
    const end = performance.now() + waitMs;
    const ended = () => child !== undefined && child.exitCode !== null;
    while (!(await ready('ServerReady', {})) && performance.now() < end && !ended()) {
      await new Promise((resolve) => setTimeout(resolve, probeMs));
    }
    for (const { name } of Object.values(benchModels)) if (await ready('ModelReady', { name })) models.add(name);
    return models;
  } finally {
    client.close();
  }
}

/** HTTP servers serve the MLP; whether one is there is seen from its port. */
async function reachable(url: string): Promise<Set<string>> {
  const { hostname, port } = new URL(url);
  const end = performance.now() + startMs;
  while (performance.now() < end) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(Number(port || 80), hostname, () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return new Set([benchModels.mlp.name]);
    await new Promise((resolve) => setTimeout(resolve, probeMs));
  }
  return new Set();
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const { pid } = child;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-pid, name);
    } catch {
      // It has just gone.
    }
  };
  signal('SIGTERM');
  const timer = setTimeout(() => signal('SIGKILL'), stopMs);
  await gone;
  clearTimeout(timer);
  signal('SIGKILL');
}
