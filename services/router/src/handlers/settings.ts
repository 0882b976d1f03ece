import { ShoalError } from '@shoal/core';
import { errorTexts } from '@shoal/protocol';
import type { Handlers } from '@shoal/rpc';
import type { Catalog } from '../catalog/catalog';
import type { LogSettings, LogValue } from '../settings/log-settings';
import type { SharedSettings } from '../settings/shared-settings';
import type { TraceSettings } from '../settings/trace-settings';

interface TraceRequest {
  readonly model_name: string;
  readonly settings: Readonly<Record<string, { readonly value: readonly string[] }>>;
}

/** TraceSetting and LogSettings: each changes what it is given and answers with all that holds afterwards. */
export function settingsHandlers(
  catalog: Catalog,
  trace: TraceSettings,
  log: LogSettings,
  shared: SharedSettings,
): Handlers {
  return {
    async TraceSetting({ model_name: model, settings }: TraceRequest) {
      if (model !== '' && !catalog.find(model, '')) {
        throw new ShoalError('INVALID_ARGUMENT', `Request for unknown model : ${errorTexts.clip(model)}`);
      }
      const changes = Object.entries(settings).map(([key, { value }]): [string, readonly string[]] => [key, value]);
      if (changes.length > 0) {
        trace.update(model, Object.fromEntries(changes));
        await shared.shareTrace(model);
      }
      const values = Object.entries(trace.get(model)).map(([key, value]) => [key, { value }]);
      return { settings: Object.fromEntries(values) as object };
    },
    async LogSettings({ settings }: { readonly settings: Readonly<Record<string, LogValue>> }) {
      log.update(settings);
      if (Object.keys(settings).length > 0) await shared.shareLog(log.control);
      return { settings: log.get() };
    },
  };
}
