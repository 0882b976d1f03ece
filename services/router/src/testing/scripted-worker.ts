import {
  type Bus,
  type Desire,
  type ModelReport,
  type WorkerAnnouncement,
  desiredPrefix,
  reportsPrefix,
  workersPrefix,
} from '@shoal/bus';

/** What was asked of it, with the contents of the files. */
export interface Asked {
  readonly model: string;
  readonly wanted: boolean;
  readonly config?: string;
  readonly files: readonly (readonly [path: string, text: string])[];
}

/** As much of a model-worker as the router sees: carries out at once what is wanted, or fails as it is told. */
export class ScriptedWorker {
  readonly asked: Asked[] = [];
  readonly #bus: Bus;
  readonly #id: string;
  readonly #fail: (asked: Asked) => ModelReport['failure'];
  readonly #stop: () => void;

  constructor(bus: Bus, id: string, fail: (asked: Asked) => ModelReport['failure'] = () => undefined) {
    this.#bus = bus;
    this.#id = id;
    this.#fail = fail;
    bus.announce<WorkerAnnouncement>(workersPrefix + id, {
      id,
      mode: 'explicit',
      memoryBytes: 1e9,
      gpus: 0,
      leaving: false,
    });
    this.#stop = bus.state.watch<Desire>(desiredPrefix, (key, entry) => {
      if (entry) void this.#obey(key.slice(desiredPrefix.length), entry.value);
    });
  }

  close(): void {
    this.#stop();
    this.#bus.withdraw(workersPrefix + this.#id);
  }

  async #obey(model: string, { request, wanted, config, files = [] }: Desire): Promise<void> {
    const contents: (readonly [string, string])[] = [];
    for (const { path, digest } of files) contents.push([path, (await this.#bus.blobs.get(digest)).toString()]);
    const asked = { model, wanted, ...(config !== undefined && { config }), files: contents };
    this.asked.push(asked);
    const failure = wanted ? this.#fail(asked) : undefined;
    this.#bus.announce<ModelReport>(`${reportsPrefix}${model}/${this.#id}`, {
      worker: this.#id,
      model,
      seen: request,
      own: false,
      memoryBytes: 0,
      gpu: false,
      applied: request,
      state: failure ? 'FAILED' : wanted ? 'READY' : 'ABSENT',
      ...(failure && { failure }),
    });
  }
}
