import { seededRandom } from '@shoal/core';
import { type Cluster, type ClusterMember, type ServiceName, serviceOf } from './cluster';
import { isAlive } from './processes';
import { sleep } from './waiting';

const services: readonly ServiceName[] = ['router', 'batching', 'model-worker'];
const conditions = [
  ['cut', { cut: 'reset' }],
  ['silence', { cut: 'silent' }],
  ['delay', { delayMs: 80 }],
  ['slow', { rate: 500_000 }],
] as const;
const kinds = ['kill', 'replace', 'stop', 'kill runner', 'stop runner', 'network', 'network', 'nats'] as const;

/**
 * One fault after the other, from a seed. The first process of each service is never ended, so that what it holds can
 * be watched from start to end, and so are its runners; it is stopped and cut off like the others.
 */
export class RandomFaults {
  /** How often each was done. */
  readonly done = new Map<string, number>();
  readonly #cluster: Cluster;
  readonly #random: { next(): number };

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster;
    this.#random = seededRandom(seed);
  }

  /** Does one, undoes it, and resolves with its name. */
  async next(): Promise<string> {
    const name = await this.#do(this.#pick(kinds));
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
    return name;
  }

  async #do(kind: (typeof kinds)[number]): Promise<string> {
    const member = this.#pick(this.#members());
    switch (kind) {
      case 'kill':
      case 'replace': {
        const mortal = this.#pick(this.#members().filter((one) => !this.#isWatched(one)));
        await this.#cluster.replace(mortal, kind === 'kill' ? 'kill' : 'stop');
        return `${serviceOf(mortal)}: ${kind === 'kill' ? 'kill -9' : 'SIGTERM and replaced'}`;
      }
      case 'stop':
        await this.#standStill(member.pid);
        return `${serviceOf(member)}: SIGSTOP`;
      case 'kill runner':
      case 'stop runner': {
        const mortal = this.#cluster.living('model-worker').filter((worker) => !this.#isWatched(worker));
        const runner = this.#pick(mortal.flatMap((worker) => worker.runners()));
        if (kind === 'stop runner') await this.#standStill(runner);
        else if (isAlive(runner)) process.kill(runner, 'SIGKILL');
        return `runner: ${kind === 'stop runner' ? 'SIGSTOP' : 'kill -9'}`;
      }
      case 'network': {
        const other = this.#pick(['nats', ...this.#members().map(({ name }) => name)].filter((n) => n !== member.name));
        const [what, condition] = this.#pick(conditions);
        this.#cluster.network?.set(member.name, other, condition);
        await sleep(this.#ms());
        this.#cluster.network?.heal();
        return `network: ${what}`;
      }
      default:
        await this.#cluster.nats.kill();
        await sleep(this.#ms());
        await this.#cluster.nats.start();
        return 'nats-server: kill -9';
    }
  }

  async #standStill(pid: number): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    await sleep(this.#ms());
    if (isAlive(pid)) process.kill(pid, 'SIGCONT');
  }

  #members(): ClusterMember[] {
    return services.flatMap((service) => this.#cluster.living(service));
  }

  #isWatched(member: ClusterMember): boolean {
    return this.#cluster.living(serviceOf(member))[0] === member;
  }

  /** Some seconds. */
  #ms(): number {
    return 2_000 + 5_000 * this.#random.next();
  }

  #pick<T>(from: readonly T[]): T {
    const chosen = from[Math.floor(this.#random.next() * from.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }
}
