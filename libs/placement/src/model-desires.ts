import {
  type Bus,
  type CallOptions,
  type Desire,
  type DesiredFile,
  type Replicas,
  type StateEntry,
  desiredPrefix,
} from '@shoal/bus';
import { type CancelTimer, type Clock, type Random, ShoalError } from '@shoal/core';
import { BlobCare } from './blob-care';
import { isUnknown } from './is-unknown';
import { judge } from './judge';
import type { PlacementView } from './placement-view';

/** What a load call brings along. */
export interface LoadRequest {
  readonly model: string;
  /** Override of config.pbtxt as JSON text. */
  readonly config?: string | undefined;
  /** Override of files: path in the model's folder and contents. */
  readonly files?: readonly (readonly [path: string, bytes: Uint8Array])[];
  /** Default: as before. */
  readonly replicas?: Replicas | undefined;
  /** A model that the cluster makes for itself: it is served whatever the workers' mode. */
  readonly derived?: boolean;
  /** Who asks, as far as it is known. */
  readonly by: string;
  /** Of the call that asks, where it is recorded. */
  readonly trace?: CallOptions['trace'];
}

export interface ModelDesiresDeps {
  /** Of the service that asks. */
  readonly id: string;
  readonly bus: Bus;
  readonly view: PlacementView;
  readonly clock: Clock;
  readonly random: Random;
}

/** Workers bound their loading; nothing takes longer. */
const longestMs = 60 * 60_000;
/** How often a write is tried against others who write too. */
const maxTries = 10;
/** A key of the store has bounds; no repository has such a folder anyway. */
const maxNameBytes = 256;
/** How often the store is asked about an asking that the watch does not tell of: a later one may have hidden it. */
const confirmMs = 1_000;

/**
 * Says what is wanted of models, to all workers, and waits for it: writes the desired state, resolves when the workers have
 * carried it out. When they cannot, what was wanted before is wanted again, unless somebody else was faster.
 */
export class ModelDesires {
  readonly #deps: ModelDesiresDeps;
  /** Calls for one model wait for each other. */
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #ending = new AbortController();
  readonly #care: BlobCare;

  constructor(deps: ModelDesiresDeps) {
    this.#deps = deps;
    this.#care = new BlobCare(deps.bus, deps.view, deps.clock);
  }

  /**
   * Loads, or loads anew what has changed; resolves when all workers chosen for it serve it.
   * @throws ShoalError as the workers say, in Triton's words; UNAVAILABLE without a worker, in another mode than explicit, or without the store.
   */
  async load({ model, config, files = [], replicas, derived = false, by, trace }: LoadRequest): Promise<void> {
    if (!derived) this.#demandExplicit();
    await this.#queued(model, async () => {
      if (Buffer.byteLength(model) > maxNameBytes) throw pollFailed(model);
      if (files.length === 0 && (await isUnknown(this.#deps, model, trace))) throw pollFailed(model);
      const { blobs } = this.#deps.bus;
      const uploaded: DesiredFile[] = [];
      for (const [path, bytes] of files) uploaded.push({ path, digest: await blobs.put(bytes), bytes: bytes.length });
      const brings = config !== undefined || files.length > 0;
      const make = (before: Desire | undefined) => ({
        ...(brings
          ? { ...(config !== undefined && { config }), ...(files.length > 0 && { files: uploaded }) }
          : kept(before)),
        ...replicasOf(replicas ?? before?.replicas),
        wanted: true,
      });
      await this.#change(model, by, make, () => this.#putMissing(files, uploaded));
    });
  }

  /** Resolves when no worker has anything of it left; with false for a model that nobody knows. @throws ShoalError as `load`. */
  async unload(model: string, by: string, derived = false): Promise<boolean> {
    if (!derived) this.#demandExplicit();
    return this.#queued(model, async () => {
      const { view } = this.#deps;
      const known = view.desires.has(model) || view.reports.has(model);
      if (known) await this.#change(model, by, () => ({ wanted: false }));
      return known;
    });
  }

  /**
   * Has each worker that serves it look at its repository again, one after the other, so that never fewer serve it than before.
   * @throws ShoalError NOT_FOUND when it is not served, and as `load`.
   */
  reload(model: string, by: string): Promise<void> {
    return this.#queued(model, async () => {
      this.#demandWanted(model);
      await this.#change(model, by, (before) => ({
        ...kept(before),
        ...replicasOf(before?.replicas),
        wanted: true,
        rolling: true,
      }));
    });
  }

  /** Serves it on that many workers. @throws ShoalError as `reload`. */
  setReplicas(model: string, replicas: Replicas, by: string): Promise<void> {
    return this.#queued(model, async () => {
      this.#demandWanted(model);
      await this.#change(model, by, (before) => ({ ...kept(before), replicas, wanted: true }));
    });
  }

  /** Calls that wait fail UNAVAILABLE; what they asked for stays. */
  close(): void {
    this.#ending.abort(new ShoalError('UNAVAILABLE', 'the server is shutting down'));
    this.#care.close();
  }

  async #change(
    model: string,
    by: string,
    make: (before: Desire | undefined) => Omit<Desire, 'request' | 'since' | 'at' | 'by' | 'via'>,
    putMissing: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const { bus, clock, id } = this.#deps;
    const request = this.#newRequest();
    const key = desiredPrefix + model;
    const { before, value, revision } = await this.#write(key, (standing) => {
      const at = clock.epochMs();
      return { ...make(standing), request, since: standing?.wanted ? standing.since : at, at, by, via: id };
    });
    const hadFiles = (before?.value.files ?? value.files) !== undefined;
    this.#care.uploaded(
      model,
      [...(before?.value.files ?? []), ...(value.files ?? [])].map(({ digest }) => digest),
    );
    try {
      await putMissing();
      await this.#carriedOut(model, request);
      // Whoever tidied meanwhile may have heard late of what is named now.
      await putMissing().catch(() => undefined);
    } catch (thrown) {
      if (!this.#ending.signal.aborted) {
        const undo = before ? bus.state.put(key, before.value, revision) : bus.state.delete(key, revision);
        // Whoever was faster has the last word; and without the store nothing can be taken back.
        await undo.catch(() => undefined);
      }
      throw thrown;
    } finally {
      if (hadFiles) await this.#care.tidy(model).catch(() => undefined);
    }
  }

  /**
   * A file that was stored already when it was put may have been removed, as nobody named it, before this asking did.
   * @throws ShoalError as the store.
   */
  async #putMissing(files: NonNullable<LoadRequest['files']>, named: readonly DesiredFile[]): Promise<void> {
    if (files.length === 0) return;
    const { blobs } = this.#deps.bus;
    const there = new Set(await blobs.list());
    for (const [i, [, bytes]] of files.entries()) if (!there.has(named[i]?.digest ?? '')) await blobs.put(bytes);
  }

  /** @throws ShoalError ABORTED when others write all the time. */
  async #write(
    key: string,
    make: (before: Desire | undefined) => Desire,
  ): Promise<{ before: StateEntry<Desire> | undefined; value: Desire; revision: number }> {
    const { state } = this.#deps.bus;
    for (let attempt = 1; ; attempt += 1) {
      const before = await state.get<Desire>(key);
      try {
        const value = make(before?.value);
        return { before, value, revision: await state.put(key, value, before?.revision ?? 0) };
      } catch (thrown) {
        if (!(thrown instanceof ShoalError) || thrown.code !== 'ABORTED' || attempt === maxTries) throw thrown;
      }
    }
  }

  #carriedOut(model: string, request: string): Promise<void> {
    const { view, clock, bus } = this.#deps;
    const { signal } = this.#ending;
    return new Promise((resolve, reject) => {
      let heard = false;
      let over = false;
      let cancelConfirm: CancelTimer = () => undefined;
      const settle = (finish: () => void) => {
        over = true;
        stop();
        cancelTimer();
        cancelConfirm();
        signal.removeEventListener('abort', onEnd);
        finish();
      };
      const onEnd = () => settle(() => reject(signal.reason as ShoalError));
      const look = () => {
        const plan = view.plans.get(model);
        if (plan?.desire?.request !== request) {
          if (heard) settle(() => reject(overtaken(model)));
          return;
        }
        heard = true;
        const verdict = judge(view, model, plan);
        if (verdict === 'done') settle(resolve);
        else if (verdict !== 'waiting') settle(() => reject(verdict));
      };
      // Of two askings in quick succession the watch may tell the later one only.
      const confirm = () => {
        cancelConfirm = clock.schedule(confirmMs, () => {
          if (heard) return;
          const answered = (isOvertaken: boolean) => {
            if (over || heard) return;
            if (isOvertaken) settle(() => reject(overtaken(model)));
            else confirm();
          };
          bus.state.get<Desire>(desiredPrefix + model).then(
            (standing) => answered(standing?.value.request !== request),
            () => answered(false),
          );
        });
      };
      const stop = view.onChange(look);
      const late = new ShoalError('DEADLINE_EXCEEDED', `the workers did not carry it out within ${longestMs} ms`);
      const cancelTimer = clock.schedule(longestMs, () => settle(() => reject(late)));
      if (signal.aborted) onEnd();
      else {
        signal.addEventListener('abort', onEnd, { once: true });
        confirm();
        look();
      }
    });
  }

  #demandExplicit(): void {
    const workers = [...this.#deps.view.workers.values()];
    if (workers.length === 0) throw new ShoalError('UNAVAILABLE', 'no model-worker is there that could load or unload');
    if (workers.some(({ mode }) => mode === 'explicit')) return;
    throw new ShoalError('UNAVAILABLE', 'explicit model load / unload is not allowed if polling is enabled');
  }

  #demandWanted(model: string): void {
    if (this.#deps.view.plans.get(model)?.wanted) return;
    throw new ShoalError('NOT_FOUND', `'${clip(model)}' is not loaded; load it first`);
  }

  #newRequest(): string {
    const { id, clock, random } = this.#deps;
    return `${id}.${clock.epochMs().toString(36)}.${Math.floor(random.next() * 2 ** 32).toString(36)}`;
  }

  #queued<T>(model: string, task: () => Promise<T>): Promise<T> {
    const result = (this.#tails.get(model) ?? Promise.resolve()).then(task);
    const tail: Promise<unknown> = result
      .catch(() => undefined)
      .finally(() => {
        if (this.#tails.get(model) === tail) this.#tails.delete(model);
      });
    this.#tails.set(model, tail);
    return result;
  }
}

/** The override of an earlier call, for as long as the model stays wanted. */
function kept(before: Desire | undefined): Pick<Desire, 'config' | 'files' | 'kept'> {
  if (!before?.wanted || (before.config === undefined && before.files === undefined)) return {};
  const { config, files } = before;
  return { ...(config !== undefined && { config }), ...(files && { files }), kept: true };
}

function replicasOf(replicas: Replicas | undefined): Pick<Desire, 'replicas'> {
  return replicas === undefined ? {} : { replicas };
}

/** Triton's words for a model that no repository has. */
function pollFailed(model: string): ShoalError {
  return new ShoalError('INTERNAL', `failed to load '${clip(model)}', failed to poll from model repository`);
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function overtaken(model: string): ShoalError {
  return new ShoalError('ABORTED', `another call changed what is wanted of '${model}' before this one was carried out`);
}
