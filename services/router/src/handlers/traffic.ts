import type { StateEntry, StateStore } from '@shoal/bus';
import { type Clock, ShoalError } from '@shoal/core';
import type { CallContext, Handlers } from '@shoal/rpc';
import { authorOf } from '../access/author';
import type { Caller } from '../access/caller';
import type { Catalog } from '../catalog/catalog';
import { type Author, promoted, rolledBack, withRules } from '../traffic/change-state';
import { checkModel, checkRules } from '../traffic/check-rules';
import type { PeerCounters } from '../traffic/peer-counters';
import { type RulesMessage, rulesOf, trafficMessage } from '../traffic/traffic-messages';
import { type TrafficState, trafficPrefix } from '../traffic/traffic-rules';
import type { TrafficTable } from '../traffic/traffic-table';

/** What TrafficControl works on. */
export interface TrafficParts {
  readonly store: StateStore;
  readonly catalog: Catalog;
  readonly table: TrafficTable;
  readonly peers: PeerCounters;
  readonly clock: Clock;
}

interface ChangeRequest {
  readonly model: string;
  readonly expected_revision: number;
}

type Change = (before: TrafficState | undefined, author: Author) => TrafficState;

/** shoal.control.v1.TrafficControl: each change is written to the state store, from where all routers take it. */
export function trafficHandlers(parts: TrafficParts): Handlers {
  const { store, catalog, table } = parts;
  return {
    async GetTraffic({ model }: { readonly model: string }) {
      const entry = await store.get<TrafficState>(trafficPrefix + model);
      if (!entry) checkModel(model, catalog);
      return describe(parts, model, entry);
    },
    async ListTraffic() {
      const all = table.all();
      const sums = await parts.peers.sums(new Map(all.map(({ state, revision }) => [state.model, revision])));
      const traffic = all.map((one) => trafficMessage(one.state.model, one, sums.get(one.state.model), catalog));
      return { traffic };
    },
    SetTraffic(request: ChangeRequest & { readonly rules: RulesMessage | null }, call: CallContext, caller?: Caller) {
      const { model } = request;
      return change(parts, request, authorOf(call, caller), (before, author) => {
        return withRules(model, before, checkRules(model, rulesOf(request.rules), catalog), author);
      });
    },
    Promote(request: ChangeRequest, call: CallContext, caller?: Caller) {
      return change(parts, request, authorOf(call, caller), (before, author) => {
        const after = promoted(request.model, before, author);
        checkRules(request.model, { stable: after.rules.stable }, catalog);
        return after;
      });
    },
    Rollback(request: ChangeRequest, call: CallContext, caller?: Caller) {
      return change(parts, request, authorOf(call, caller), (before, author) => {
        const after = rolledBack(request.model, before, author);
        checkRules(request.model, { stable: after.rules.stable }, catalog);
        return after;
      });
    },
    async ClearTraffic({ model, expected_revision: expected }: ChangeRequest) {
      const key = trafficPrefix + model;
      const before = await store.get<TrafficState>(key);
      if (!before) checkModel(model, catalog);
      checkRevision(model, before, expected);
      if (before) await store.delete(key, before.revision);
      table.apply(model, undefined);
      return {};
    },
  };
}

/** Changes the rules as they stand. @throws ShoalError ABORTED when they are not as expected, or somebody else was faster. */
async function change(parts: TrafficParts, request: ChangeRequest, by: string, apply: Change): Promise<object> {
  const { model, expected_revision: expected } = request;
  const key = trafficPrefix + model;
  const before = await parts.store.get<TrafficState>(key);
  checkRevision(model, before, expected);
  const value = apply(before?.value, { by, epochMs: parts.clock.epochMs() });
  const revision = await parts.store.put(key, value, before?.revision ?? 0);
  // At once, so that who is told of the change finds it made here.
  parts.table.apply(model, { value, revision });
  return describe(parts, model, { value, revision });
}

function checkRevision(model: string, entry: StateEntry<TrafficState> | undefined, expected: number): void {
  const revision = entry?.revision ?? 0;
  if (expected === 0 || expected === revision) return;
  const text = `the traffic rules of model '${model}' are at revision ${revision}, not ${expected}: look at them and try again`;
  throw new ShoalError('ABORTED', text);
}

async function describe(
  { catalog, peers }: TrafficParts,
  model: string,
  entry: StateEntry<TrafficState> | undefined,
): Promise<object> {
  if (!entry) return trafficMessage(model, undefined, undefined, catalog);
  const { value: state, revision } = entry;
  const sums = await peers.sums(new Map([[model, revision]]));
  return trafficMessage(model, { state, revision }, sums.get(model), catalog);
}
