import type { Desire, ModelReport, WorkerAnnouncement } from '@shoal/bus';
import { type Candidate, type PlaceModel, type Placed, place } from './place';

/** What is announced of workers and models. */
export interface Announced {
  readonly workers: ReadonlyMap<string, WorkerAnnouncement>;
  /** By model. */
  readonly desires: ReadonlyMap<string, Desire>;
  /** By model, then worker. */
  readonly reports: ReadonlyMap<string, ReadonlyMap<string, ModelReport>>;
}

/** What is to become of one model. */
export interface ModelPlan extends Placed {
  /** Undefined: the workers' own modes decide. */
  readonly desire: Desire | undefined;
  readonly wanted: boolean;
  /** Every worker has looked at its repository for this asking, so that `chosen` holds. */
  readonly decided: boolean;
}

/** The plan for every model that somebody has asked for or speaks of. */
export function planModels(announced: Announced): Map<string, ModelPlan> {
  const { workers, desires, reports } = announced;
  const names = new Set([...desires.keys(), ...reports.keys()]);
  const models: PlaceModel[] = [];
  for (const model of names) {
    const desire = desires.get(model);
    const said = saidOf(announced, model);
    if (isWanted(desire, said)) models.push(placeModel(model, desire, said));
  }
  const placed = place([...workers.values()], models);
  const plans = new Map<string, ModelPlan>();
  for (const model of names) {
    const desire = desires.get(model);
    const at = placed.get(model);
    const decided = desire === undefined || everyoneSaw(announced, model, desire);
    plans.set(model, { desire, wanted: at !== undefined, decided, ...(at ?? { chosen: [] }) });
  }
  return plans;
}

/** Reports of those who live. */
function saidOf({ workers, reports }: Announced, model: string): ModelReport[] {
  return [...(reports.get(model)?.values() ?? [])].filter(({ worker }) => workers.has(worker));
}

function isWanted(desire: Desire | undefined, said: readonly ModelReport[]): boolean {
  return desire?.wanted ?? said.some(({ own }) => own);
}

function placeModel(model: string, desire: Desire | undefined, said: readonly ModelReport[]): PlaceModel {
  // Without an asking those count whose own mode wants it.
  const candidates = desire === undefined ? said.filter(({ own }) => own) : said;
  // Their configs may differ; who is asked must not depend on whose report came first.
  const [ofConfig] = candidates
    .filter(({ replicas }) => replicas !== undefined)
    .toSorted((a, b) => (a.worker < b.worker ? -1 : 1));
  return {
    model,
    since: desire?.since ?? 0,
    replicas: desire?.replicas ?? ofConfig?.replicas ?? 'all',
    candidates: candidates.map(({ worker, memoryBytes, gpu, refusal }): Candidate => ({
      worker,
      memoryBytes,
      gpu,
      ...(refusal && { refusal }),
    })),
  };
}

function everyoneSaw({ workers, reports }: Announced, model: string, { request, wanted }: Desire): boolean {
  if (!wanted) return true;
  const said = reports.get(model);
  for (const { id, leaving } of workers.values()) if (!leaving && said?.get(id)?.seen !== request) return false;
  return true;
}
