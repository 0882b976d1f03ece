import type { Explanation } from './explanation';
import { figure } from './text';

/** What an explanation is worth and how it was made, as pairs of a name and a text: the same in the terminal and in a report. */
export function facts(explanation: Explanation): readonly (readonly [name: string, text: string])[] {
  const { model, version, method, reason, background, link, quality } = explanation;
  const pairs: [string, string][] = [
    ['model', version === '' ? model : `${model}, version ${version}`],
    ['method', reason === '' ? method : `${method}: ${reason}`],
    ['precision', precision(explanation)],
    ['effort', effort(explanation)],
  ];
  if (background) pairs.push(['background', backgroundText(background)]);
  if (link.name === 'logit') {
    const clamped =
      link.clamped > 0 ? `; ${link.clamped} predictions were clamped to within ${figure(link.epsilon)}` : '';
    pairs.push(['link', `logit: values are log-odds${clamped}`]);
  }
  for (const { name, output, index, value, standardError: error = 0 } of quality) {
    pairs.push([name, `${figure(value)}${error > 0 ? ` ± ${figure(error, 2)}` : ''} of ${output}[${index}]`]);
  }
  return pairs;
}

const stops: Readonly<Record<string, string>> = {
  target_error: 'it reached the error asked for',
  budget: 'it ran out of its budget',
  deadline: 'it ran out of time',
  cancelled: 'it was cancelled',
};

function precision({ exact, partial, converged, stopReason }: Explanation): string {
  if (partial) return 'so far: more is being evaluated';
  if (exact) return 'exact';
  return `estimated; ${converged ? 'converged' : 'NOT converged'}${stops[stopReason] ? `: ${stops[stopReason]}` : ''}`;
}

function effort({ evaluations, rows, requests, totalMs, seed }: Explanation): string {
  return `${evaluations} evaluations, ${rows} rows in ${requests} requests, ${figure(totalMs)} ms, seed ${seed}`;
}

function backgroundText({ name, sha256, rows, source }: NonNullable<Explanation['background']>): string {
  const who = name === '' ? '' : `${name}, `;
  const digest = sha256 === '' ? '' : `, SHA-256 ${sha256.slice(0, 12)}`;
  return `${who}${rows === 1 ? '1 row' : `${rows} rows`} (${source})${digest}`;
}
