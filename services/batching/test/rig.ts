import { type Bus, type RunnerAnnouncement, createLocalBus, queueKey, runnersPrefix, versionsPrefix } from '@shoal/bus';
import {
  type Batch,
  type Data,
  type Done,
  type Link,
  type LinkListener,
  type LinkTransport,
  type Offer,
  type Reject,
  type Send,
  createTransport,
} from '@shoal/link';
import { parseModelConfig } from '@shoal/repository';
import { MetricRegistry, type Tracing, renderPrometheus, silentLogger } from '@shoal/telemetry';
import { FakeClock } from '@shoal/testing';
import { type BatchingConfig, type BatchingService, batchingFlags, startBatching } from '../src';

const defaults: BatchingConfig = {
  maxQueueRequests: batchingFlags.maxQueueRequests.default,
  maxQueueRows: batchingFlags.maxQueueRows.default,
  maxQueueBytes: batchingFlags.maxQueueBytes.default,
  backgroundBatchMs: batchingFlags.backgroundBatchMs.default,
  batchEfficiency: batchingFlags.batchEfficiency.default,
  planDeadlines: batchingFlags.planDeadlines.default,
  deferredBatching: batchingFlags.deferredBatching.default,
  latencyFile: batchingFlags.latencyFile.default,
  maxQueueWaitSecs: batchingFlags.maxQueueWaitSecs.default,
  rateLimit: batchingFlags.rateLimit.default,
  rateLimitResource: batchingFlags.rateLimitResource.default,
  deviceBatches: batchingFlags.deviceBatches.default,
  batchJournal: batchingFlags.batchJournal.default,
  batchingDrainTimeoutSecs: batchingFlags.batchingDrainTimeoutSecs.default,
};

/** Lets every message and announcement on its way arrive: links and bus of one process need a few microtasks. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A router's end of a link: what it was told, and what it says. */
export class TestRouter {
  readonly link: Link;
  readonly sends: Send[] = [];
  readonly rejects: Reject[] = [];
  #offerId = 0;

  constructor(link: Link) {
    this.link = link;
    link.onMessage((message) => {
      if (message.kind === 'send') this.sends.push(message);
      else if (message.kind === 'reject') this.rejects.push(message);
    });
  }

  /** Returns the offer's id. */
  offer(queue: string, facts: Partial<Offer> = {}): number {
    this.#offerId += 1;
    const offer: Offer = {
      kind: 'offer',
      offerId: this.#offerId,
      queue,
      rows: 1,
      shapeKey: '',
      bytes: 64,
      timeoutMs: 0,
      ageMs: 0,
      priority: 0,
      queueTimeoutUs: 0,
      solo: false,
      background: false,
      ...facts,
    };
    this.link.send(offer);
    return offer.offerId;
  }

  cancel(offerId: number): void {
    this.link.send({ kind: 'cancel', offerId, reason: 'cancelled' });
  }
}

/** A runner: takes links, says Ready, and ends batches when told to. */
export class TestRunner {
  readonly id: string;
  readonly batches: Batch[] = [];
  readonly data: Data[] = [];
  readonly listener: LinkListener;
  links: Link[];

  constructor(id: string, listener: LinkListener, links: Link[]) {
    this.id = id;
    this.listener = listener;
    this.links = links;
  }

  done(batchId: number, said: Partial<Done> = {}): void {
    const done: Done = {
      kind: 'done',
      batchId,
      outcome: 'ok',
      code: 'UNKNOWN',
      message: '',
      memberErrors: [],
      absent: [],
      waitNs: 1_000,
      computeInputNs: 2_000,
      computeInferNs: 30_000,
      computeOutputNs: 4_000,
      ...said,
    };
    for (const link of this.links) link.send(done);
  }
}

/** A batching service in virtual time, with everything around it in this process. */
export class Rig {
  readonly clock = new FakeClock(1_000);
  readonly bus: Bus = createLocalBus({ clock: this.clock });
  readonly transport: LinkTransport = createTransport({ clock: this.clock });
  readonly metrics = new MetricRegistry(this.clock);
  #service: BatchingService | undefined;
  #listeners: LinkListener[] = [];

  static async start(config: Partial<BatchingConfig> = {}, tracing?: Tracing): Promise<Rig> {
    const rig = new Rig();
    const { bus, transport, clock } = rig;
    rig.#service = await startBatching({
      id: 'b0',
      address: 'inproc:batching',
      bus,
      transport,
      clock,
      logger: silentLogger,
      metrics: rig.metrics,
      config: { ...defaults, ...config },
      tracing,
    });
    return rig;
  }

  /** Announces a model version; returns its queue's key. `config` is a config.pbtxt. */
  announce(
    model: string,
    config: string | undefined,
    state: 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE' = 'READY',
    generation = 'g1',
  ): string {
    const key = { model, version: 1, generation };
    const parsed = config === undefined ? {} : { config: parseModelConfig(config, model) };
    this.bus.announce(`${versionsPrefix}${model}/1`, { ...key, state, reason: '', ...parsed });
    return queueKey(key);
  }

  async router(id: string): Promise<TestRouter> {
    return new TestRouter(await this.transport.connect('inproc:batching', { kind: 'hello', role: 'router', id }));
  }

  /** A runner that listens and is announced. */
  async runner(id: string, queue: string, credits = 2, more: Partial<RunnerAnnouncement> = {}): Promise<TestRunner> {
    const links: Link[] = [];
    const address = `inproc:${id}`;
    const listener = await this.transport.listen(address, { kind: 'hello', role: 'runner', id }, (link) => {
      links.push(link);
      link.onMessage((message) => {
        if (message.kind === 'batch') runner.batches.push(message);
      });
      link.onClose(() => links.splice(links.indexOf(link), 1));
      link.send({ kind: 'ready', runner: id, queue, credits });
    });
    const runner: TestRunner = new TestRunner(id, listener, links);
    this.#listeners.push(listener);
    const [model = '', rest = ''] = queue.split('/');
    const [version, generation = ''] = rest.split('@');
    this.bus.announce(`${runnersPrefix}${id}`, {
      id,
      address,
      model,
      version: Number(version),
      generation,
      device: 'CPU',
      ...more,
    });
    await settle();
    return runner;
  }

  /** The samples of one metric, as they are served. */
  samples(name: string): string[] {
    const lines = renderPrometheus(this.metrics).split('\n');
    return lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length));
  }

  drain(): Promise<void> {
    return this.#service?.drain() ?? Promise.resolve();
  }

  /** Moves time, and lets what follows happen. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settle();
  }

  /** Ends all that is left; fails when a timer is left behind. */
  async end(): Promise<void> {
    const drained = this.drain();
    await settle();
    this.clock.advance(60_000);
    await drained;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.bus.close();
    await settle();
    if (this.clock.pending > 0) throw new Error(`${this.clock.pending} timers are left behind`);
  }
}
