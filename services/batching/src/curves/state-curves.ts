import type { StateStore } from '@shoal/bus';
import type { Logger } from '@shoal/telemetry';
import { type CurveStore, type KeptCurves, readCurves } from './curve-store';

const prefix = 'curves/';

/** Keeps curves in the cluster's state: `curves/MODEL/VERSION`, one small entry for each version, whoever wrote last. */
export function stateCurves(state: StateStore, logger: Logger): CurveStore {
  let unwatch = (): void => undefined;
  const pending = new Set<Promise<void>>();
  return {
    watch(listener) {
      unwatch = state.watch<KeptCurves>(prefix, (key, entry) => {
        const curves = readCurves(entry?.value);
        if (curves.length > 0) listener(key.slice(prefix.length), curves);
      });
    },
    put(name, curves) {
      const write = async (): Promise<void> => {
        try {
          await state.put<KeptCurves>(`${prefix}${name}`, { v: 1, curves });
        } catch (thrown) {
          logger.verbose(1, 'cannot keep what was learnt of a model', { model: name, reason: String(thrown) });
        }
      };
      const done = write().finally(() => pending.delete(done));
      pending.add(done);
    },
    async close() {
      unwatch();
      await Promise.all(pending);
    },
  };
}
