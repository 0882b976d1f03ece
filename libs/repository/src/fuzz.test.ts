import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import * as fc from 'fast-check';
import { checkConfig } from './check-config';
import { completeConfig } from './complete';
import type { OnnxModelInfo } from './onnx-model-info';
import { parseModelConfig } from './parse-config';
import { sessionOptionsFrom } from './session-options';
import { unsupportedReason } from './unsupported';

const models = join(__dirname, '../../../test/fixtures/models');
const texts = readdirSync(models).flatMap((model) => {
  const folder = join(models, model);
  return readdirSync(folder).includes('config.pbtxt') ? [readFileSync(join(folder, 'config.pbtxt'), 'utf8')] : [];
});

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(12),
  insert: fc.oneof(
    fc.constantFrom('{', '}', '[', ']', '<', '>', ':', ',', ';', '"', "'", '\\', '-', '#', '\n', '\0', '1e9', '0x'),
    fc.constantFrom('input', 'dims', 'TYPE_FP32', 'true', 'ensemble_scheduling', '"\\377"', '\u{1F40B}', '\uD800'),
    fc.string({ maxLength: 8, unit: 'binary' }),
  ),
});

/** Real configs with a few places broken, and noise. */
const brokenText = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...texts) },
      { weight: 1, arbitrary: fc.string({ maxLength: 64 }) },
    ),
    fc.array(edit, { maxLength: 4 }),
  )
  .map(([base, edits]) => {
    let text = base;
    for (const { at, remove, insert } of edits) {
      const index = Math.floor(at * text.length);
      text = text.slice(0, index) + insert + text.slice(index + remove);
    }
    return text;
  });

/** What became of a text, in words; anything thrown that is no ShoalError is thrown on. */
function outcome(text: string): string {
  try {
    return typeof parseModelConfig(text, 'm/config.pbtxt').max_batch_size === 'number' ? 'config' : 'half a config';
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    const place = /^failed to read text proto from m\/config\.pbtxt: (\d+):(\d+): /.exec(error.message);
    const [line, column] = [Number(place?.[1]), Number(place?.[2])];
    const width = text.replace(/^\uFEFF/, '').split('\n')[line - 1]?.length ?? -1;
    return column >= 1 && column <= width + 1 ? 'refused with a place inside' : `refused: ${error.message}`;
  }
}

/** Well-formed statements with values that make no sense. */
const number = fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(2147483647, -2147483648));
const word = fc.constantFrom('m', 'x', 'y', '', '..', '__proto__', 'model.onnx', 'onnxruntime_onnx', 'session.a', '1');
const type = fc.constantFrom('TYPE_FP32', 'TYPE_INT64', 'TYPE_STRING', 'TYPE_INVALID', 'TYPE_BF16');
const dims = fc.array(number, { maxLength: 4 }).map((list) => `[ ${list.join(', ')} ]`);
const statement = fc.oneof(
  fc
    .tuple(fc.constantFrom('name', 'platform', 'backend', 'default_model_filename'), word)
    .map(([f, w]) => `${f}: "${w}"`),
  number.map((value) => `max_batch_size: ${value}`),
  fc
    .tuple(fc.constantFrom('input', 'output'), word, type, dims, fc.option(dims))
    .map(
      ([f, w, t, d, r]) =>
        `${f} { name: "${w}" data_type: ${t} dims: ${d} ${r === null ? '' : `reshape { shape: ${r} }`} }`,
    ),
  fc.tuple(dims, fc.nat(4), fc.nat(4), fc.boolean(), number).map(
    ([p, l, d, o, k]) =>
      `dynamic_batching { preferred_batch_size: ${p} priority_levels: ${l} default_priority_level: ${d}
         preserve_ordering: ${o} priority_queue_policy { key: ${Math.max(0, k)} value { timeout_action: DELAY } } }`,
  ),
  fc
    .tuple(fc.constantFrom('AUTO', 'GPU', 'CPU', 'MODEL'), number, dims)
    .map(([k, c, g]) => `instance_group { kind: KIND_${k} count: ${c} gpus: ${g} }`),
  fc
    .tuple(fc.constantFrom('intra_op_thread_count', 'execution_mode', 'session.x', '__proto__'), word)
    .map(([k, v]) => `parameters { key: "${k}" value { string_value: "${v}" } }`),
  number.map((level) => `optimization { graph { level: ${level} } }`),
  fc
    .tuple(number, dims)
    .map(
      ([c, d]) =>
        `model_warmup { batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: ${d} } } count: ${Math.max(0, c)} }`,
    ),
);
const nonsense = fc
  .uniqueArray(statement, { maxLength: 6, selector: (text) => text.slice(0, 6) })
  .map((all) => all.join('\n'));

const info: OnnxModelInfo = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: ['N', 4] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['N', 2] }],
};

/** All that becomes of a config before a session is made of it: 'loadable', or why not. */
function pipeline(text: string): string {
  try {
    const config = parseModelConfig(text, 'm/config.pbtxt');
    checkConfig(config, 'm');
    const unsupported = unsupportedReason(config, 'm');
    if (unsupported !== undefined) return unsupported;
    const completed = completeConfig('m', config, info, { gpus: [0] }).config;
    for (const { name, kind } of completed.instance_group) {
      const instance = { name, kind: kind === 'KIND_AUTO' ? 'KIND_CPU' : kind, device: 0 } as const;
      if (sessionOptionsFrom(completed, instance).providers.length === 0) return 'no provider';
    }
    return completeConfig('m', completed, info, { gpus: [0] }).config.name === 'm' ? 'loadable' : 'nameless';
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    return error.message;
  }
}

describe('whatever a config says', () => {
  test('its text is a config or a ShoalError with a place inside it', () => {
    fc.assert(
      fc.property(brokenText, (text) => {
        expect(outcome(text)).toMatch(/^(?:config|refused with a place inside)$/);
      }),
      { numRuns: 400, seed: 20, endOnFailure: true },
    );
  });

  test('it is loadable or refused in words', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(nonsense, (text) => {
        const result = pipeline(text);
        seen.add(result === 'loadable' ? result : 'refused');
        expect(result).not.toMatch(/^(?:no provider|nameless|)$|undefined|\[object/);
      }),
      { numRuns: 600, seed: 21, endOnFailure: true },
    );
    expect([...seen].sort()).toEqual(['loadable', 'refused']);
  });
});
