import { type Bus, type Desire, derivedFrom, derivedName, desiredPrefix, twinsPrefix } from '@shoal/bus';
import type { VersionAnnouncement } from '@shoal/bus';
import type { CancelTimer, Clock, Random } from '@shoal/core';
import { type GradientTwin, type TwinOptions, gradientTwin } from '@shoal/explain';
import { ModelDesires, PlacementView } from '@shoal/placement';
import type { Logger } from '@shoal/telemetry';
import { createHash } from 'node:crypto';
import type { ModelFiles } from './model-files';
import type { Versions } from './versions';

export interface TwinParts {
  readonly id: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly files: ModelFiles;
  readonly versions: Versions;
}

/** A twin that serves. */
export interface ServedTwin {
  readonly model: string;
  readonly twin: GradientTwin;
}

/** So long after its last use a twin is kept by who used it. */
const idleMs = 10 * 60_000;
/** How often it is looked whether twins are kept by nobody. */
const sweepMs = 60_000;
const version = '1';

interface Kept {
  readonly served: Promise<ServedTwin>;
  usedAt: number;
}

/**
 * Gradient twins of models, made and loaded when they are asked for, once for each content of a model, and unloaded when nobody in
 * the cluster has used them for a while: who uses one announces it, so that twins of those who died are unloaded too.
 */
export class Twins {
  readonly #parts: TwinParts;
  readonly #view: PlacementView;
  readonly #desires: ModelDesires;
  /** By name. */
  readonly #kept = new Map<string, Kept>();
  /** Names of twins that instances keep, with who does. */
  readonly #inUse = new Map<string, Set<string>>();
  readonly #wanted = new Set<string>();
  readonly #unwatch: readonly (() => void)[];
  #cancelTimer: CancelTimer;

  constructor(parts: TwinParts) {
    const { bus, clock, id, random } = parts;
    this.#parts = parts;
    this.#view = new PlacementView(bus, clock, 0);
    this.#desires = new ModelDesires({ id, bus, view: this.#view, clock, random });
    this.#unwatch = [
      bus.watch<object>(twinsPrefix, (key, value) => {
        const [name = '', who = ''] = key.slice(twinsPrefix.length).split('/');
        const users = this.#inUse.get(name) ?? new Set<string>();
        if (value) users.add(who);
        else users.delete(who);
        this.#inUse.set(name, users);
      }),
      bus.state.watch<Desire>(desiredPrefix, (key, entry) => {
        const name = key.slice(desiredPrefix.length);
        if (derivedFrom(name) === undefined) return;
        if (entry?.value.wanted) this.#wanted.add(name);
        else this.#wanted.delete(name);
      }),
    ];
    this.#cancelTimer = clock.schedule(sweepMs, () => this.#sweep());
  }

  /** @throws ShoalError as `gradientTwin`, as the workers that load it */
  async get(base: VersionAnnouncement, options: TwinOptions): Promise<ServedTwin> {
    const what = `${base.version}@${base.generation} ${JSON.stringify(options)}`;
    const name = derivedName(base.model, createHash('sha256').update(what).digest('hex'));
    const { clock, bus, id } = this.#parts;
    let kept = this.#kept.get(name);
    if (!kept) {
      bus.announce(`${twinsPrefix}${name}/${id}`, { id });
      kept = { served: this.#serve(name, base, options), usedAt: clock.now() };
      this.#kept.set(name, kept);
      kept.served.catch(() => this.#release(name));
    }
    kept.usedAt = clock.now();
    return kept.served;
  }

  close(): void {
    this.#cancelTimer();
    for (const unwatch of this.#unwatch) unwatch();
    for (const name of [...this.#kept.keys()]) this.#release(name);
    this.#desires.close();
    this.#view.close();
  }

  async #serve(name: string, base: VersionAnnouncement, options: TwinOptions): Promise<ServedTwin> {
    const { files, versions } = this.#parts;
    const twin = gradientTwin(await files.get(base), options);
    if (versions.find(name, version)?.state !== 'READY') {
      const config = JSON.stringify({ max_batch_size: base.config?.max_batch_size ?? 0, platform: 'onnxruntime_onnx' });
      const model: readonly [string, Buffer] = [`${version}/model.onnx`, Buffer.from(twin.model)];
      await this.#desires.load({
        model: name,
        config,
        files: [model],
        replicas: 1,
        derived: true,
        by: 'explainability',
      });
    }
    return { model: name, twin };
  }

  #release(name: string): void {
    this.#kept.delete(name);
    this.#parts.bus.withdraw(`${twinsPrefix}${name}/${this.#parts.id}`);
  }

  #sweep(): void {
    const { clock, logger } = this.#parts;
    for (const [name, { usedAt }] of this.#kept) if (clock.now() - usedAt > idleMs) this.#release(name);
    for (const name of this.#wanted) {
      if ((this.#inUse.get(name)?.size ?? 0) > 0) continue;
      this.#desires.unload(name, 'explainability', true).catch((thrown: unknown) => {
        logger.warn('a gradient twin that nobody uses cannot be unloaded', { model: name, error: String(thrown) });
      });
    }
    this.#cancelTimer = clock.schedule(sweepMs, () => this.#sweep());
  }
}
