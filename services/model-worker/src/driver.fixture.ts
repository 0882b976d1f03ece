import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Bus,
  type ModelAnnouncement,
  type RetireCall,
  type RunnerAnnouncement,
  type VersionAnnouncement,
  createLocalBus,
  batchingPrefix,
  instanceSubject,
  modelsPrefix,
  queueKey,
  retireSubject,
  runnersPrefix,
  versionsPrefix,
} from '@shoal/bus';
import { ShoalError, sleep, systemClock, systemRandom } from '@shoal/core';
import { ModelDesires, PlacementView } from '@shoal/placement';
import {
  type Data,
  type Done,
  type InputData,
  type Link,
  type LinkMessage,
  type Ready,
  type WantedOutput,
  createTransport,
  wholeBytes,
} from '@shoal/link';
import { type InferResponseView, compileSignature, scanInferResponse } from '@shoal/protocol';
import type { LogFields, Logger } from '@shoal/telemetry';
import { type ModelWorkerConfig, modelWorkerFlags } from './flags';
import { type ModelWorkerService, startModelWorker } from './model-worker';

/** The test models, found by walking up from here. */
export function fixtures(folder: 'models' | 'hostile'): string {
  for (let at = __dirname; at !== '/'; at = join(at, '..')) {
    const path = join(at, 'test/fixtures', folder);
    if (existsSync(path)) return path;
  }
  throw new Error('no fixtures');
}

export interface ExpectedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly raw: string;
}

export interface ExpectedCase {
  readonly name: string;
  readonly inputs: readonly ExpectedTensor[];
  readonly outputs: readonly ExpectedTensor[];
}

/** The reference answers of a test model. */
export function expectedOf(model: string): {
  tolerance: { atol: number; rtol: number };
  cases: readonly ExpectedCase[];
} {
  return JSON.parse(readFileSync(join(fixtures('models'), model, 'expected.json'), 'utf8')) as ReturnType<
    typeof expectedOf
  >;
}

export interface Member {
  readonly rows: number;
  readonly inputs: readonly InputData[];
  readonly outputs?: readonly WantedOutput[];
  readonly requestId?: string;
}

export interface Outcome {
  readonly done: Done;
  /** By member: the answer, 'refused', or undefined. */
  readonly answers: readonly (InferResponseView | 'refused' | undefined)[];
}

interface Runner {
  readonly announcement: RunnerAnnouncement;
  readonly batching: Link;
  readonly router: Link;
  ready?: Ready;
  /** Told when the runner's links end. */
  readonly lost: Set<() => void>;
}

interface LoadCall {
  readonly model: string;
  readonly config?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** A model-worker with the least of a router and of a batching service around it, over real links. */
export class Driver {
  readonly bus: Bus = createLocalBus();
  readonly versions = new Map<string, VersionAnnouncement>();
  readonly models = new Map<string, ModelAnnouncement>();
  readonly runners = new Map<string, Runner>();
  readonly log: { level: string; message: string; fields: LogFields | undefined }[] = [];
  /** Each state that each version went through: `model/1 READY`. */
  readonly history: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'mw-'));
  /** Batching cannot be asked to retire a queue. */
  deaf = false;
  readonly #transport = createTransport({ clock: systemClock });
  readonly #dones = new Map<number, (done: Done) => void>();
  readonly #answers = new Map<number, (answer: InferResponseView | 'refused') => void>();
  readonly #busy = new Map<string, number>();
  readonly #view = new PlacementView(this.bus, systemClock, 0);
  readonly #desires = new ModelDesires({
    id: 'router',
    bus: this.bus,
    view: this.#view,
    clock: systemClock,
    random: systemRandom,
  });
  #service: ModelWorkerService | undefined;
  #ids = 0;

  /** A repository of its own with copies of the named test models. */
  async withModels(models: Readonly<Record<string, 'models' | 'hostile'>>): Promise<this> {
    for (const [model, from] of Object.entries(models)) {
      await cp(join(fixtures(from), model), join(this.folder, model), { recursive: true });
    }
    return this;
  }

  /** Starts the worker; resolves when its start-up models are settled. */
  async start(config: Partial<ModelWorkerConfig> = {}): Promise<this> {
    await this.startLoading(config);
    await this.#service?.initialLoad;
    return this;
  }

  /** Starts the worker and does not wait for its models. */
  async startLoading(config: Partial<ModelWorkerConfig> = {}): Promise<void> {
    this.bus.watch<VersionAnnouncement>(versionsPrefix, (key, value) => {
      const name = withoutWorker(key.slice(versionsPrefix.length));
      if (value) this.versions.set(name, value);
      else this.versions.delete(name);
      this.history.push(`${name} ${value?.state ?? 'gone'}`);
    });
    this.bus.watch<ModelAnnouncement>(modelsPrefix, (key, value) => {
      const name = withoutWorker(key.slice(modelsPrefix.length));
      if (value) this.models.set(name, value);
      else this.models.delete(name);
    });
    this.bus.watch<RunnerAnnouncement>(runnersPrefix, (key, value) => {
      if (value) this.#connect(value).catch(() => undefined);
      else this.runners.delete(key.slice(runnersPrefix.length));
    });
    this.bus.announce(`${batchingPrefix}driver`, { id: 'driver', address: 'inproc:driver' });
    this.bus.serve<RetireCall, void>(instanceSubject(retireSubject, 'driver'), async ({ queue }) => {
      if (this.deaf) throw new ShoalError('UNAVAILABLE', 'NATS cannot be reached');
      while ((this.#busy.get(queue) ?? 0) > 0) await sleep(systemClock, 5);
    });
    const defaults = Object.fromEntries(Object.entries(modelWorkerFlags).map(([key, flag]) => [key, flag.default]));
    this.#service = await startModelWorker({
      id: 'worker',
      bus: this.bus,
      clock: systemClock,
      random: systemRandom,
      sharedMemoryBytes: 2 ** 30,
      logger: this.#logger(),
      config: { ...(defaults as unknown as ModelWorkerConfig), modelRepository: [this.folder], ...config },
    });
  }

  async stop(graceMs = 2000): Promise<void> {
    await this.#service?.drain(graceMs);
    await Promise.all([...this.runners.values()].flatMap(({ batching, router }) => [batching.close(), router.close()]));
    this.#desires.close();
    this.#view.close();
    await this.bus.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  abandonLoads(): void {
    this.#service?.abandonLoads();
  }

  /** As a router does it; files as base64 by path. */
  load({ model, config, files = {} }: LoadCall): Promise<void> {
    const bytes = Object.entries(files).map(([path, text]) => [path, Buffer.from(text, 'base64')] as const);
    return this.#desires.load({ model, config, files: bytes, by: 'driver' });
  }

  unload(model: string): Promise<boolean> {
    return this.#desires.unload(model, 'driver');
  }

  /** Waits until `condition` holds; gives up with what it was. */
  async until(condition: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
    const end = systemClock.now() + timeoutMs;
    while (!condition()) {
      if (systemClock.now() > end) throw new Error(`gave up waiting: ${what}\n${JSON.stringify(this.log, null, 1)}`);
      await sleep(systemClock, 5);
    }
  }

  /** The runners of a model that are linked, once there is one. */
  async runnersOf(model: string): Promise<Runner[]> {
    const current = () => [...this.versions.values()].find((one) => one.model === model && one.state === 'READY');
    const ofModel = () =>
      [...this.runners.values()].filter(
        ({ announcement, ready }) =>
          ready && announcement.model === model && announcement.generation === current()?.generation,
      );
    await this.until(() => ofModel().length > 0, `a runner of ${model}`);
    return ofModel();
  }

  /** Runs one batch; `after` is called when everything was sent. */
  async run(
    model: string,
    members: readonly Member[],
    after: (sent: { runner: Runner; batchId: number }) => void = () => undefined,
  ): Promise<Outcome> {
    const [runner] = await this.runnersOf(model);
    if (!runner) throw new Error(`no runner of ${model}`);
    const batchId = (this.#ids += 1);
    const queue = queueKey(runner.announcement);
    const answers: (InferResponseView | 'refused' | undefined)[] = members.map(() => undefined);
    this.#busy.set(queue, (this.#busy.get(queue) ?? 0) + 1);
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        // Answers travel over another link than the batch's end, and may come after it.
        this.#dones.set(batchId, (done) => {
          const unanswered = new Set([...done.absent, ...done.memberErrors.map(({ member }) => member)]);
          const expected = done.outcome === 'ok' ? members.length - unanswered.size : 0;
          const settled = () => {
            if (answers.filter((answer) => answer !== undefined).length >= expected) resolve({ done, answers });
            else systemClock.schedule(1, settled);
          };
          settled();
        });
        runner.lost.add(() => reject(new Error('the runner is gone')));
        const rows = members.map((one) => one.rows);
        runner.batching.send({ kind: 'batch', batchId, routers: members.map(() => 'router'), rows });
        members.forEach((member, i) => {
          const offerId = (this.#ids += 1);
          this.#answers.set(offerId, (answer) => (answers[i] = answer));
          runner.router.send(this.data(batchId, i, offerId, member));
        });
        after({ runner, batchId });
      });
    } finally {
      this.#busy.set(queue, (this.#busy.get(queue) ?? 1) - 1);
    }
  }

  /** Hears of the end of a batch that the test grants by itself. */
  onDone(batchId: number, hear: (done: Done) => void): void {
    this.#dones.set(batchId, hear);
  }

  data(batchId: number, member: number, offerId: number, { inputs, outputs = [], requestId = '' }: Member): Data {
    return { kind: 'data', batchId, member, offerId, requestId, inputs, outputs };
  }

  /** A case of expected.json as a member, in the wire's shapes. */
  member(model: string, { inputs }: Pick<ExpectedCase, 'inputs'>): Member {
    const version = this.versions.get(`${model}/1`);
    if (!version?.config) throw new Error(`${model} has no config`);
    const signature = compileSignature(version.config, 1);
    const batches = signature.maxBatchSize > 0;
    const sent = signature.inputs.flatMap((spec, index): InputData[] => {
      const found = inputs.find(({ name }) => name === spec.name);
      if (!found) return [];
      const scalar = spec.modelDims.length === 0 && spec.dims.length === 1;
      const shape = scalar ? [...found.shape, 1] : found.shape;
      return [{ index, shape, bytes: Buffer.from(found.raw, 'base64') }];
    });
    return { rows: batches ? (sent[0]?.shape[0] ?? 0) : 1, inputs: sent };
  }

  async #connect(announcement: RunnerAnnouncement): Promise<void> {
    const { address, id } = announcement;
    const batching = await this.#transport.connect(address, { kind: 'hello', role: 'batching', id: 'batching' });
    const router = await this.#transport.connect(address, { kind: 'hello', role: 'router', id: 'router' });
    const runner: Runner = { announcement, batching, router, lost: new Set() };
    this.runners.set(id, runner);
    batching.onClose(() => {
      this.runners.delete(id);
      for (const tell of runner.lost) tell();
    });
    batching.onMessage((message) => this.#receive(message, runner));
    router.onMessage((message) => this.#receive(message, runner));
  }

  #receive(message: LinkMessage, runner: Runner): void {
    if (message.kind === 'ready') runner.ready = message;
    else if (message.kind === 'done') this.#dones.get(message.batchId)?.(message);
    else if (message.kind === 'refused') this.#answers.get(message.offerId)?.('refused');
    else if (message.kind === 'answer') {
      this.#answers.get(message.offerId)?.(scanInferResponse(Buffer.from(wholeBytes(message.response))));
    }
  }

  #logger(): Logger {
    const write = (level: string) => (message: string, fields?: LogFields) => {
      this.log.push({ level, message, fields });
    };
    const logger: Logger = {
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      audit: write('audit'),
      verbose: (level, message, fields) => write(`verbose ${level}`)(message, fields),
      child: () => logger,
    };
    return logger;
  }
}

/** `model/1/worker` → `model/1`. */
function withoutWorker(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}
