import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { InferenceSession } from 'onnxruntime-node';
import { completeConfig } from './complete';
import { sanitiseLoadError } from './load-error';
import { describeSession } from './onnx-model-info';
import { scanRepository } from './scan';
import type { ScannedModel } from './scan-model';

const fixtures = join(__dirname, '../../../test/fixtures');

/** Its session takes minutes to make, which is what it is for. */
const never = new Set(['slow_load']);

/** Loads every version of a model that can be tried: undefined if it comes up, else what a client is told. */
async function load(model: ScannedModel): Promise<string | undefined> {
  for (const { file, reason } of model.versions) {
    if (reason !== '') return reason;
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(file, { logSeverityLevel: 4 });
    } catch (error) {
      return sanitiseLoadError(String((error as { message?: unknown }).message), model.directory);
    }
    try {
      completeConfig(model.name, model.config, describeSession(session));
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error;
      return error.message;
    } finally {
      await session.release();
    }
  }
  return undefined;
}

async function loadAll(folder: string): Promise<Record<string, string>> {
  const told: Record<string, string> = {};
  for (const model of await scanRepository([join(fixtures, folder)])) {
    if (never.has(model.name)) continue;
    const reason = model.ok ? await load(model) : model.reason;
    if (reason !== undefined) told[model.name] = reason;
  }
  return told;
}

describe('every fixture with the real ONNX Runtime', () => {
  test('the good models come up, but for what is not supported yet', async () => {
    const told = await loadAll('models');
    for (const [model, reason] of Object.entries(told)) {
      const why =
        /^Unsupported: |^Only one priority level is allowed when 'preserve_ordering' is true for simple_batching$/;
      expect([model, reason]).toEqual([model, expect.stringMatching(why)]);
    }
    expect(Object.keys(told).filter((model) => model !== 'simple_batching')).toEqual([
      'bf16_double',
      'sequence_accumulate',
      'simple_sequence',
    ]);
  });

  test('of the hostile ones those that must not load do not, and say why without a path of the host', async () => {
    const told = await loadAll('hostile');
    expect(Object.keys(told)).toEqual([
      'batch_on_fixed_model',
      'config_default_filename_traversal',
      'config_labels_traversal',
      'config_name_differs',
      'config_other_platform',
      'config_syntax_error',
      'config_unknown_input',
      'config_wrong_dims',
      'config_wrong_type',
      'cycle',
      'dangling_input',
      'empty_file',
      'external_dotenv',
      'external_missing',
      'external_short',
      'external_symlink',
      'external_traversal_absolute',
      'external_traversal_hostname',
      'future_opset',
      'nesting_5000',
      'no_version_folder',
      'not_onnx',
      'text_file',
      'truncated',
      'type_mismatch',
      'unknown_domain',
      'unknown_op',
    ]);
    for (const reason of Object.values(told)) {
      expect(reason).not.toMatch(/onnxruntime_src|\.(?:cc|h):\d|::/);
      expect(reason.replace(/'(?:\.\.\/)+[^']*'/g, '')).not.toMatch(/(?:^|[\s"':])\/\w/);
    }
  });
});
