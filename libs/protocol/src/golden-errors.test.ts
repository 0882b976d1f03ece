import { ShoalError } from '@shoal/core';
import { checkInferRequest } from './check-request';
import * as texts from './error-texts';
import { parseModelVersion } from './model-version';
import { scanInferRequest } from './scan-request';
import { fromBase64, goldenCases, goldenModels } from './testing/golden';

const cases = goldenCases('infer-errors');

/** Versions of the recorded server's models: served, or once loaded and now gone. */
const served: Record<string, readonly string[]> = { versions: ['1', '3'], lc_one: [] };
const unloaded: Record<string, readonly string[]> = { lc_one: ['1', '2'] };

/** What the door does with a request before it goes to a queue. */
function admit(request: Buffer): void {
  const view = scanInferRequest(request);
  const version = parseModelVersion(view.modelVersion);
  const signature = goldenModels.get(view.modelName);
  if (signature === undefined) throw texts.unknownModel(view.modelName);
  const versions = served[view.modelName] ?? ['1'];
  if (version === undefined) {
    if (versions.length === 0) throw texts.noAvailableVersions(view.modelName);
  } else if (!versions.includes(version)) {
    if (unloaded[view.modelName]?.includes(version)) throw texts.versionNotReady(view.modelName, version);
    throw texts.unknownVersion(view.modelName, version);
  }
  checkInferRequest(view, signature, { unary: true });
}

/** The model's own text, which is not ours to foresee. */
const inTheModel = 'err_execution';

/** Refusals that come later than the door: the request itself passes, the text is the catalogue's. */
const later: Record<string, ShoalError> = {
  err_sequence_no_start: texts.sequenceNeedsStart('seq_oldest', 777),
  err_sequence_no_id: texts.sequenceNeedsId('seq_oldest'),
  err_sequence_batch: texts.sequenceNeedsBatchOne('seq_oldest'),
  err_queue_full: texts.queueFull('q'),
  err_queue_timeout: texts.queueTimeout(),
};

function refusal(run: () => void): ShoalError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ShoalError) return thrown;
    throw thrown;
  }
  throw new Error('the request was not refused');
}

/** Where the note says that either input may be named, its other name is right, too. */
function alternatives(details: string, note: string | undefined): string[] {
  if (!note?.includes('not fixed')) return [details];
  return [details, details.replace('INPUT0', 'INPUT1')];
}

test('every recorded refusal is one of the door or one of a later room', () => {
  expect(cases.length).toBe(50);
  const names = cases.map(({ name }) => name);
  expect([inTheModel, ...Object.keys(later)].filter((name) => !names.includes(name))).toEqual([]);
});

test.each(cases.filter(({ name }) => name !== inTheModel && !(name in later)))(
  '$name',
  ({ request, status, details, note }) => {
    const error = refusal(() => admit(fromBase64(request as string)));
    expect(error.code).toBe(status);
    expect(alternatives(details, note)).toContain(error.message);
  },
);

test.each(cases.filter(({ name }) => name in later))('$name passes the door', ({ name, request, status, details }) => {
  expect(() => admit(fromBase64(request as string))).not.toThrow();
  expect([later[name]?.code, later[name]?.message]).toEqual([status, details]);
});

test('a request that fails in the model passes the door', () => {
  const golden = cases.find(({ name }) => name === inTheModel);
  expect(() => admit(fromBase64(golden?.request as string))).not.toThrow();
});
