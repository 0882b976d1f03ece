import type { ModelReport, Replicas, VersionAnnouncement } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import type { ModelDesires, ModelPlan, PlacementView } from '@shoal/placement';
import { errorTexts } from '@shoal/protocol';
import type { CallContext, Handlers } from '@shoal/rpc';
import { authorOf } from '../access/author';
import type { Caller } from '../access/caller';
import type { Catalog } from '../catalog/catalog';

/** The oneof's chosen member is named by `replicas`. */
interface ReplicasMessage {
  readonly replicas?: string;
  readonly count?: number;
  readonly all?: boolean;
}

/** shoal.control.v1.ModelControl. */
export function modelControlHandlers(catalog: Catalog, view: PlacementView, desires: ModelDesires): Handlers {
  return {
    ListWorkers: () => ({ workers: sortedBy([...view.workers.keys()], (id) => id).map((id) => worker(view, id)) }),
    ListModels({ model }: { readonly model: string }) {
      const names = [...view.plans.keys()].filter((name) => model === '' || name === model);
      return { models: sortedBy(names, (name) => name).map((name) => describe(catalog, view, name)) };
    },
    async LoadModel(
      request: { readonly model: string; readonly replicas: ReplicasMessage | null; config: string },
      call: CallContext,
      caller?: Caller,
    ) {
      const { model, config } = request;
      const by = authorOf(call, caller);
      await desires.load({ model, by, replicas: replicasOf(request.replicas), ...(config !== '' && { config }) });
      return {};
    },
    async UnloadModel({ model }: { readonly model: string }, call: CallContext, caller?: Caller) {
      // Unlike Triton's call, which is silent about it.
      if (!(await desires.unload(model, authorOf(call, caller)))) {
        throw new ShoalError('NOT_FOUND', `nothing is known of a model '${errorTexts.clip(model)}'`);
      }
      return {};
    },
    async ReloadModel({ model }: { readonly model: string }, call: CallContext, caller?: Caller) {
      await desires.reload(model, authorOf(call, caller));
      return {};
    },
    async SetReplicas(
      { model, replicas }: { readonly model: string; readonly replicas: ReplicasMessage | null },
      call: CallContext,
      caller?: Caller,
    ) {
      const wanted = replicasOf(replicas);
      if (wanted === undefined) throw new ShoalError('INVALID_ARGUMENT', 'replicas: expected a count or all');
      await desires.setReplicas(model, wanted, authorOf(call, caller));
      return {};
    },
  };
}

/** @throws ShoalError INVALID_ARGUMENT for none at all. */
function replicasOf(said: ReplicasMessage | null): Replicas | undefined {
  if (said?.replicas === undefined) return undefined;
  if (said.replicas === 'all') return said.all ? 'all' : undefined;
  const { count = 0 } = said;
  if (count === 0)
    throw new ShoalError('INVALID_ARGUMENT', 'replicas: expected at least 1; unloading takes it off all');
  return count;
}

function worker(view: PlacementView, id: string): object {
  const { mode, memoryBytes, gpus, leaving } = view.workers.get(id)!;
  let used = 0;
  for (const [name, { chosen }] of view.plans) {
    if (chosen.includes(id)) used += view.reports.get(name)?.get(id)?.memoryBytes ?? 0;
  }
  const models = [...view.reports].flatMap(([name, said]) => (said.get(id)?.state === 'READY' ? [name] : [])).sort();
  return { id, mode, memory_bytes: memoryBytes, memory_used_bytes: used, gpus, leaving, models };
}

function describe(catalog: Catalog, view: PlacementView, name: string): object {
  const plan = view.plans.get(name)!;
  const reports = sortedBy([...(view.reports.get(name)?.values() ?? [])], (report) => report.worker);
  const versions = catalog.versionsSaid(name);
  return {
    name,
    wanted: plan.wanted,
    by_request: plan.desire !== undefined,
    replicas: message(wantedReplicas(plan, reports)),
    chosen: plan.chosen,
    reason: plan.short?.message ?? '',
    workers: reports.map((report) => replica(report, versions)),
  };
}

function wantedReplicas({ desire }: ModelPlan, reports: readonly ModelReport[]): Replicas {
  return desire?.replicas ?? reports.find(({ replicas }) => replicas !== undefined)?.replicas ?? 'all';
}

function message(replicas: Replicas): ReplicasMessage {
  return replicas === 'all' ? { replicas: 'all', all: true } : { replicas: 'count', count: replicas };
}

function replica(report: ModelReport, versions: readonly VersionAnnouncement[]): object {
  const { worker: id, state, failure, refusal, memoryBytes } = report;
  const own = versions.filter((one) => one.worker === id).sort((a, b) => a.version - b.version);
  return {
    worker: id,
    state,
    reason: (failure ?? refusal)?.message.trim() ?? '',
    memory_bytes: memoryBytes,
    versions: own.map(({ version, state: at, reason }) => ({ version: String(version), state: at, reason })),
  };
}

function sortedBy<T>(all: readonly T[], key: (one: T) => string): T[] {
  return all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
