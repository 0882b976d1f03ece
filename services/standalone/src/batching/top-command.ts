import { parseFlags } from '@shoal/config';
import { type Clock, sleep } from '@shoal/core';
import { controlClient, controlFlags } from '../client/control-client';
import { modelArgument } from '../client/model-argument';
import { topFlags } from './batching-flags';
import type { ModelStatistics, Queue } from './messages';
import { type Look, renderTop } from './render-top';

/** What `top` needs of the process around it. */
export interface TopShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Calls back when it is to end. */
  onInterrupt(interrupted: () => void): void;
}

/** The screen's beginning; what is below the cursor goes. */
const home = '\u001B[H\u001B[J';

/** `shoal top [MODEL]`: queues, rates and batch sizes, again and again. @throws ShoalError as the server says. */
export async function top(argv: readonly string[], shell: TopShell): Promise<number> {
  const { model, rest } = modelArgument(argv);
  const config = parseFlags({ ...topFlags, ...controlFlags }, { argv: rest, env: shell.env });
  const live = shell.stdout.isTTY === true;
  const count = config.count > 0 ? config.count : live ? Infinity : 1;
  const abort = new AbortController();
  shell.onInterrupt(() => abort.abort());
  const batching = controlClient(config, 'shoal/control/v1/batching.proto', 'shoal.control.v1.Batching');
  const inference = controlClient(config, 'inference/grpc_service.proto', 'inference.GRPCInferenceService');
  const look = async (): Promise<Look> => {
    const { queues } = await batching.call<{ queues: readonly Queue[] }>('ListQueues', { model });
    const { model_stats: statistics } = await inference.call<{ model_stats: readonly ModelStatistics[] }>(
      'ModelStatistics',
      { name: model },
    );
    return { at: shell.clock.now(), queues, statistics };
  };
  try {
    let before = await look();
    for (let shown = 0; shown < count && !abort.signal.aborted; shown += 1) {
      await sleep(shell.clock, config.intervalSecs * 1000, abort.signal).catch(() => undefined);
      if (abort.signal.aborted) break;
      const now = await look();
      shell.stdout.write(`${live ? home : ''}${renderTop(before, now)}\n`);
      before = now;
    }
    return 0;
  } finally {
    batching.close();
    inference.close();
  }
}
