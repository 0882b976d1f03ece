import { existsSync, readFileSync } from 'node:fs';
import type { ModelIo } from '@shoal/load';
import { csvRows } from './csv-rows';
import type { ExplainConfig } from './explain-flags';
import { jsonRows } from './json-rows';
import { tensors } from './tensors';
import { wrong } from './wrong';

/**
 * The request's `baseline` from --background: none where it is not given, so that the server chooses.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function baselineOf(config: ExplainConfig, model: ModelIo): { readonly baseline?: object } {
  const { background, backgroundRows: sample, backgroundClusters: summarize } = config;
  if (background === '') {
    if (sample === 0 && summarize === 0) return {};
    throw wrong('--background-rows and --background-clusters are of a --background');
  }
  return { baseline: { ...chosen(config, model), sample, summarize } };
}

function chosen(config: ExplainConfig, model: ModelIo): object {
  const { background } = config;
  if (background === 'zero') return { generator: { kind: 'ZERO' } };
  if (background === 'mean') return { generator: { kind: config.image === '' ? 'MEAN' : 'CHANNEL_MEAN' } };
  if (background === 'blur') return { generator: { kind: 'BLUR' } };
  if (background === 'inpaint') return { generator: { kind: 'INPAINT' } };
  if (!/\.(?:csv|json)$/i.test(background) && !existsSync(background)) return { background };
  const what = `--background ${background}`;
  let source: string;
  try {
    source = readFileSync(background, 'utf8');
  } catch {
    throw wrong(`${what}: it cannot be read`);
  }
  const isJson = source.trimStart().startsWith('{');
  return { rows: tensors(isJson ? jsonRows(source, model, what) : csvRows(source, model, what).inputs) };
}
