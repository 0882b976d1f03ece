import { printable } from '../printable';
import type { Canary, Rules, Shadow, ShadowResults, Side, Traffic } from './messages';

/** What one model's rules are and what came of them, for people. */
export function renderTraffic(traffic: Traffic): string {
  const { model, rules, status, changed, revision } = traffic;
  const [stable, canary, shadow] = ruleTexts(rules);
  const lines = [printable(model)];
  const now = rules.stable_version === '' && status.stable_version !== '' ? `, ${status.stable_version} now` : '';
  lines.push(row('stable', `${stable}${now}${status.stable_version === '' ? ' (NOT READY)' : ''}`));
  if (changed) lines.push(row('', sideText(status.stable)));
  if (rules.canary) {
    lines.push(row('canary', `${canary}${status.canary_ready ? '' : ' (NOT READY: the stable version answers)'}`));
    const fallbacks = status.fallbacks > 0 ? `; ${status.fallbacks} fell back to the stable version` : '';
    lines.push(row('', sideText(status.canary) + fallbacks));
  }
  if (rules.shadow) {
    lines.push(row('shadow', `${shadow}${status.shadow_ready ? '' : ' (NOT READY)'}`));
    lines.push(...shadowLines(status.shadow).map((line) => row('', line)));
  }
  lines.push(row('ready', status.ready_versions.length === 0 ? 'no version' : status.ready_versions.join(', ')));
  if (changed) {
    const when = new Date(changed.epoch_ms).toISOString();
    const routers = status.routers === 1 ? '1 router' : `${status.routers} routers`;
    lines.push(
      row(
        'changed',
        `${when} by ${printable(changed.by)} (${changed.action}, revision ${revision}); ${routers} counted since`,
      ),
    );
  } else lines.push(row('', 'no rules: the latest version that is ready answers'));
  return lines.join('\n');
}

/** What is different now, a line each; '' = nothing. */
export function renderChanges(before: Rules, after: Rules): string {
  const [was, is] = [ruleTexts(before), ruleTexts(after)];
  const names = ['stable', 'canary', 'shadow'];
  const lines = names.map((name, i) => (was[i] === is[i] ? '' : `  ${name}: ${was[i]} -> ${is[i]}`));
  return lines.filter((line) => line !== '').join('\n');
}

function ruleTexts({ stable_version, canary, shadow }: Rules): [stable: string, canary: string, shadow: string] {
  const stable = stable_version === '' ? 'latest' : `version ${stable_version}`;
  return [stable, canary ? canaryText(canary) : 'none', shadow ? shadowText(shadow) : 'none'];
}

function canaryText({ version, percent, header, sticky_header: sticky }: Canary): string {
  const parts = [`version ${version}`, `${percent} %`];
  if (header) {
    const values = header.values.map(printable).join('|');
    parts.push(`header ${printable(header.name)}${values === '' ? '' : `=${values}`}`);
  }
  if (sticky !== '') parts.push(`sticky by ${printable(sticky)}`);
  return parts.join(', ');
}

function shadowText({ version, percent, absolute_tolerance: absolute, relative_tolerance: relative }: Shadow): string {
  const parts = [`version ${version}`, `${percent} %`];
  if (absolute > 0) parts.push(`absolute tolerance ${absolute}`);
  if (relative > 0) parts.push(`relative tolerance ${relative}`);
  return parts.join(', ');
}

function sideText({ requests, answered, failed, mean_ms: mean }: Side): string {
  const time = answered > 0 ? `, ${mean.toFixed(2)} ms on average` : '';
  return `${requests} requests, ${answered} answered, ${failed} failed${time}`;
}

function shadowLines(results: ShadowResults): string[] {
  const { compared, equal, different, failed, dropped, skipped, abandoned } = results;
  const lines = [
    `${compared} compared: ${equal} equal, ${different} different; ${failed} failed, ${dropped} dropped, ${skipped} skipped, ${abandoned} abandoned`,
  ];
  if (different > 0) {
    const where = `first in output ${printable(results.first_output)}: ${printable(results.first_reason)}`;
    lines.push(`largest difference ${results.largest_difference}; ${where}`);
  }
  if (compared > 0) {
    const [one, other] = [results.primary_mean_ms, results.shadow_mean_ms].map((ms) => ms.toFixed(2));
    lines.push(`on average ${one} ms for the answer, ${other} ms for the shadow's`);
  }
  return lines;
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(9)}${text}`;
}
