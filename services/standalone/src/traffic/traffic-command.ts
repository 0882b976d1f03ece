import { parseFlags } from '@shoal/config';
import { type ControlClient, controlClient, controlFlags } from '../client/control-client';
import { modelArgument, requireModel } from '../client/model-argument';
import { changesRules, editRules } from './edit-rules';
import type { Traffic } from './messages';
import { renderChanges, renderTraffic } from './render-traffic';
import { trafficFlags } from './traffic-flags';

/** What these commands need of the process around them. */
export interface TrafficShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
}

const protoFile = 'shoal/control/v1/traffic.proto';
const service = 'shoal.control.v1.TrafficControl';

/**
 * `shoal traffic [MODEL]`: shows the rules of a model or of all, or changes a model's.
 * @throws ShoalError INVALID_ARGUMENT for wrong options, and as the server refuses.
 */
export async function trafficCommand(argv: readonly string[], shell: TrafficShell): Promise<number> {
  const { model, rest } = modelArgument(argv);
  const config = parseFlags({ ...trafficFlags, ...controlFlags }, { argv: rest, env: shell.env });
  const changes = changesRules(config);
  if (changes) requireModel('traffic', model);
  const client = controlClient(config, protoFile, service);
  try {
    if (model === '') return await list(client, shell);
    const before = await client.call<Traffic>('GetTraffic', { model });
    if (!changes) {
      shell.print(renderTraffic(before));
      return 0;
    }
    if (config.clear) {
      await client.call('ClearTraffic', { model, expected_revision: before.revision });
      shell.print(`${model}: the rules are gone; the latest version that is ready answers`);
      return 0;
    }
    const request = { model, rules: editRules(before, config), expected_revision: before.revision };
    return tell(before, await client.call<Traffic>('SetTraffic', request), shell);
  } finally {
    client.close();
  }
}

/** `shoal promote MODEL` and `shoal rollback MODEL`. @throws ShoalError as `trafficCommand`. */
export async function changeCommand(
  name: 'promote' | 'rollback',
  argv: readonly string[],
  shell: TrafficShell,
): Promise<number> {
  const { model, rest } = modelArgument(argv);
  requireModel(name, model);
  const client = controlClient(parseFlags(controlFlags, { argv: rest, env: shell.env }), protoFile, service);
  try {
    const before = await client.call<Traffic>('GetTraffic', { model });
    const method = name === 'promote' ? 'Promote' : 'Rollback';
    const after = await client.call<Traffic>(method, { model, expected_revision: before.revision });
    return tell(before, after, shell);
  } finally {
    client.close();
  }
}

async function list(client: ControlClient, shell: TrafficShell): Promise<number> {
  const { traffic } = await client.call<{ traffic: readonly Traffic[] }>('ListTraffic', {});
  shell.print(traffic.length === 0 ? 'No model has traffic rules.' : traffic.map(renderTraffic).join('\n\n'));
  return 0;
}

function tell(before: Traffic, after: Traffic, shell: TrafficShell): number {
  const changes = renderChanges(before.rules, after.rules);
  shell.print(`${after.model}: ${changes === '' ? 'the rules are the same as before' : `changed\n${changes}`}`);
  return 0;
}
