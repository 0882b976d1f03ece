import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import path from 'node:path';
import { Pipe } from './network-pipe';

/** What is wrong with the road between two. Undefined parts are as they should be. */
export interface Condition {
  /** 'reset': connections are reset, and so is every new one. 'silent': nothing passes, and nobody is told, as in a partition. */
  readonly cut?: 'reset' | 'silent';
  /** Each byte arrives so much later. */
  readonly delayMs?: number;
  /** Bytes per second and direction. */
  readonly rate?: number;
}

interface Connection {
  readonly from: string;
  readonly to: string;
  readonly near: Socket;
  readonly far: Socket;
  /** From the caller, and to it. */
  readonly pipes: readonly [Pipe, Pipe];
}

/** The longest first line: who calls, and whom. */
const maxLabel = 300;

/**
 * The network of a cluster's processes, in the test's own: every TCP connection that one of them opens to another, or to
 * NATS, passes through here, told apart by who called whom. So the road between any two can be cut, slowed, delayed or
 * made to swallow all, with addresses announced as they are, and no rights needed.
 */
export class Network {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  /** Those that have not said yet whom they call. */
  readonly #callers = new Set<Socket>();
  /** Host or host:port → name. */
  readonly #names = new Map<string, string>();
  /** Both names, ordered → what is wrong between them. */
  readonly #conditions = new Map<string, Condition>();

  private constructor() {
    this.#server = createServer({ pauseOnConnect: false }, (socket) => this.#accept(socket));
  }

  static async start(): Promise<Network> {
    const network = new Network();
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  /** Environment of a process that is to be on this network under `name`. */
  environment(name: string): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      NODE_OPTIONS: `--require ${path.join(__dirname, 'network-preload.cjs')}`,
      SHOAL_TEST_NETWORK: String(port),
      SHOAL_TEST_NETWORK_NAME: name,
    };
  }

  /** Who listens at a host, or at HOST:PORT. */
  register(place: string, name: string): void {
    this.#names.set(place, name);
  }

  /** From now on the road between two is like that; {} = as it should be. */
  set(one: string, other: string, condition: Condition): void {
    this.#conditions.set(roadOf(one, other), condition);
    for (const connection of this.#between(one, other)) this.#apply(connection);
  }

  /** All roads are as they should be. */
  heal(): void {
    this.#conditions.clear();
    for (const connection of this.#connections) this.#apply(connection);
  }

  /** Resets the connections between two once; new ones pass. */
  reset(one: string, other: string): void {
    for (const connection of this.#between(one, other)) this.#reset(connection);
  }

  /** Bytes that `from` has sent to `to` over the connections that are open between them: passed on, and held back. */
  traffic(from: string, to: string): { passed: number; held: number } {
    const sum = { passed: 0, held: 0 };
    for (const connection of this.#between(from, to)) {
      const pipe = connection.pipes[connection.from === from ? 0 : 1];
      sum.passed += pipe.passed;
      sum.held += pipe.held;
    }
    return sum;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#callers) socket.destroy();
    for (const connection of this.#connections) this.#reset(connection);
    await closed;
  }

  #between(one: string, other: string): Connection[] {
    return [...this.#connections].filter(({ from, to }) => roadOf(from, to) === roadOf(one, other));
  }

  #condition({ from, to }: { from: string; to: string }): Condition {
    return this.#conditions.get(roadOf(from, to)) ?? {};
  }

  #accept(caller: Socket): void {
    this.#callers.add(caller);
    caller.on('error', () => undefined);
    caller.once('close', () => this.#callers.delete(caller));
    let label = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      label = Buffer.concat([label, chunk]);
      const end = label.indexOf(10);
      if (end < 0 && label.length < maxLabel) return;
      caller.off('data', read);
      caller.pause();
      const [from = '', host = '', port = ''] = label.subarray(0, Math.max(end, 0)).toString().split(' ');
      this.#open(caller, from, host, Number(port), label.subarray(end + 1));
    };
    caller.on('data', read);
  }

  #open(near: Socket, from: string, host: string, port: number, first: Buffer): void {
    this.#callers.delete(near);
    const to = this.#names.get(`${host}:${port}`) ?? this.#names.get(host) ?? host;
    const far = connect({ host, port });
    far.on('error', () => undefined);
    const pipes = [new Pipe(near, far), new Pipe(far, near)] as const;
    const connection = { from, to, near, far, pipes };
    this.#connections.add(connection);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.once('close', (failed) => {
        // What is cut off does not hear of it.
        if (this.#condition(connection).cut === 'silent') return;
        if (failed) this.#reset(connection);
        else if (other.destroyed) this.#connections.delete(connection);
      });
    }
    this.#apply(connection);
    pipes[0].write(first);
  }

  #apply(connection: Connection): void {
    const condition = this.#condition(connection);
    if (condition.cut === 'reset') return this.#reset(connection);
    if (condition.cut !== 'silent' && (connection.near.destroyed || connection.far.destroyed)) {
      return this.#reset(connection);
    }
    for (const pipe of connection.pipes) pipe.set(condition.cut === 'silent', condition.delayMs, condition.rate);
  }

  #reset(connection: Connection): void {
    this.#connections.delete(connection);
    for (const pipe of connection.pipes) pipe.end();
    for (const socket of [connection.near, connection.far]) socket.resetAndDestroy();
  }
}

function roadOf(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
