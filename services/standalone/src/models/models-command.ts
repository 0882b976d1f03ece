import { parseFlags } from '@shoal/config';
import { type Clock, ShoalError, sleep } from '@shoal/core';
import { type ControlClient, type ControlConfig, controlClient, controlFlags } from '../client/control-client';
import { modelArgument, requireModel } from '../client/model-argument';
import { printable } from '../printable';
import type { Model, Worker } from './messages';
import { changeFlags, replicasFlags } from './models-flags';
import { renderModels, renderWorkers } from './render-models';

/** What these commands need of the process around them. */
export interface ModelsShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly print: (text: string) => void;
}

/** How often a command that waits looks how far the workers are. */
const lookMs = 500;

/** `shoal models [MODEL]` and `shoal workers`. @throws ShoalError INVALID_ARGUMENT for wrong options, and as the server says. */
export function listCommand(
  name: 'models' | 'workers',
  argv: readonly string[],
  { env, print }: ModelsShell,
): Promise<number> {
  const { model, rest } = name === 'models' ? modelArgument(argv) : { model: '', rest: argv };
  return withClient(parseFlags(controlFlags, { argv: rest, env }), async (client) => {
    if (name === 'workers') {
      const { workers } = await client.call<{ workers: readonly Worker[] }>('ListWorkers', {});
      print(renderWorkers(workers));
      return;
    }
    const models = await listModels(client, model);
    if (model !== '' && models.length === 0) throw new ShoalError('NOT_FOUND', `no worker has a model '${model}'`);
    print(renderModels(models));
  });
}

/** `shoal load MODEL`, `unload` and `reload`: tells how far the workers are until it is done. @throws ShoalError as `listCommand`. */
export function changeModel(
  name: 'load' | 'unload' | 'reload',
  argv: readonly string[],
  { env, clock, print }: ModelsShell,
): Promise<number> {
  const { model, rest } = modelArgument(argv);
  requireModel(name, model);
  const flags = { ...changeFlags, ...replicasFlags };
  const config =
    name === 'load' ? parseFlags(flags, { argv: rest, env }) : parseFlags(changeFlags, { argv: rest, env });
  const replicas = 'replicas' in config ? replicasOf(String(config.replicas)) : undefined;
  return withClient(config, async (client) => {
    const method = { load: 'LoadModel', unload: 'UnloadModel', reload: 'ReloadModel' }[name];
    const done = client.call(method, { model, ...(replicas && { replicas }) });
    await follow(client, model, done, clock, print);
    const [now] = await listModels(client, model);
    print(now === undefined ? `${printable(model)}: nobody knows it` : renderModels([now]));
  });
}

/** Prints what each worker is doing about the model, when that changes; ends with `done`. */
async function follow(
  client: ControlClient,
  model: string,
  done: Promise<unknown>,
  clock: Clock,
  print: ModelsShell['print'],
): Promise<void> {
  const ended = new AbortController();
  const told = new Map<string, string>();
  const telling = (async () => {
    for (;;) {
      await sleep(clock, lookMs, ended.signal);
      const [now] = await listModels(client, model);
      for (const { worker, state } of now?.workers ?? []) {
        if (told.get(worker) === state) continue;
        told.set(worker, state);
        if (!ended.signal.aborted) print(`  ${printable(worker)}: ${state}`);
      }
    }
  })().catch(() => undefined);
  try {
    await done;
  } finally {
    ended.abort(new Error('ended'));
    await telling;
  }
}

async function listModels(client: ControlClient, model: string): Promise<readonly Model[]> {
  return (await client.call<{ models: readonly Model[] }>('ListModels', { model })).models;
}

/** @throws ShoalError INVALID_ARGUMENT */
function replicasOf(text: string): object | undefined {
  if (text === '') return undefined;
  if (text === 'all') return { all: true };
  if (/^[1-9]\d{0,5}$/.test(text)) return { count: Number(text) };
  throw new ShoalError('INVALID_ARGUMENT', `--replicas=${text}: expected a number from 1, or all`);
}

async function withClient(config: ControlConfig, use: (client: ControlClient) => Promise<void>): Promise<number> {
  const client = controlClient(config, 'shoal/control/v1/models.proto', 'shoal.control.v1.ModelControl');
  try {
    await use(client);
    return 0;
  } finally {
    client.close();
  }
}
