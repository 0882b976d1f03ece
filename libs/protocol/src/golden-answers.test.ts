import { ShoalError } from '@shoal/core';
import { assembleInferResponse } from './assemble-response';
import { checkInferRequest } from './check-request';
import { classify } from './classify';
import { scanInferRequest } from './scan-request';
import { scanInferResponse } from './scan-response';
import {
  emptyFinalResponse,
  finalResponseParameters,
  notFinalResponseParameters,
  streamError,
  wrapStreamResponse,
} from './stream-response';
import { fromBase64, goldenCases, goldenModels } from './testing/golden';
import { decodePlain } from './testing/schema';

const answers = goldenCases('infer');
const streams = goldenCases('streams');

function check(request: Buffer, unary = true): ReturnType<typeof checkInferRequest> {
  const view = scanInferRequest(request);
  const signature = goldenModels.get(view.modelName);
  if (signature === undefined) throw new Error(`no signature of ${view.modelName}`);
  return checkInferRequest(view, signature, { unary });
}

/** ONNX Runtime's strings cannot hold the NUL that these two send; a documented limit, so refused. */
const withNul = ['infer_bytes', 'infer_bytes_typed'];

test.each(answers.filter(({ name }) => !withNul.includes(name)))('$name passes', ({ request }) => {
  expect(check(fromBase64(request as string)).rows).toBeGreaterThan(0);
});

test.each(answers.filter(({ name }) => withNul.includes(name)))('$name is refused', ({ request }) => {
  expect(() => check(fromBase64(request as string))).toThrow(
    "[request id: <id_unknown>] string element 1 of input 'INPUT0' for model 'identity_bytes' holds a NUL byte, which ONNX Runtime's strings cannot carry",
  );
});

test.each(answers)('$name: its response comes out again from its parts', ({ response }) => {
  const bytes = fromBase64(response as string);
  const view = scanInferResponse(bytes);
  const parts = {
    model: view.modelName,
    version: view.modelVersion,
    id: view.id,
    parameters: view.parameters,
    outputs: view.outputs.map((output, i) => ({ ...output, contents: view.rawOutputContents[i] as Buffer })),
  };
  const assembled = assembleInferResponse(parts);
  expect(decodePlain('ModelInferResponse', assembled)).toEqual(decodePlain('ModelInferResponse', bytes));
  expect(() => assembleInferResponse(parts, assembled.length - 1)).toThrow(ShoalError);
});

test('typed and raw inputs of the same values are the same request', () => {
  const named = (name: string): Buffer => fromBase64(answers.find((golden) => golden.name === name)?.request as string);
  const typed = check(named('infer_simple_typed'));
  const raw = check(named('infer_simple'));
  const plain = (inputs: typeof raw.inputs): unknown =>
    inputs.map((input) => ({ ...input, bytes: [...(input.bytes as Uint8Array)] }));
  expect(plain(typed.inputs)).toEqual(plain(raw.inputs));
});

describe('classification', () => {
  const golden = (name: string): Buffer[] => {
    const found = answers.find((answer) => answer.name === name);
    const view = scanInferResponse(fromBase64(found?.response as string));
    return [fromBase64(found?.request as string), view.rawOutputContents[0] as Buffer];
  };

  test('scores of whole numbers', () => {
    const [request, expected] = golden('infer_classification_int32') as [Buffer, Buffer];
    expect(check(request).outputs).toEqual([{ index: 0, classification: 3 }]);
    // The model answers with the sum of its inputs: 1 … 16.
    const sums = Int32Array.from({ length: 16 }, (_, i) => i + 1);
    const got = classify('INT32', new Uint8Array(sums.buffer), [1, 16], true, 3);
    expect(got.shape).toEqual([1, 3]);
    expect(Buffer.from(got.bytes)).toEqual(expected);
  });

  test('scores with labels', () => {
    const [request, expected] = golden('infer_classification_labels') as [Buffer, Buffer];
    const labels = Array.from({ length: 10 }, (_, i) => `label ${i}`);
    const input = check(request).inputs[0]?.bytes as Uint8Array;
    const got = classify('FP32', input, [1, 10], true, 3, labels);
    expect(got.shape).toEqual([1, 3]);
    expect(Buffer.from(got.bytes)).toEqual(expected);
  });
});

describe('streams', () => {
  const responses = (name: string): Buffer[] =>
    (streams.find((golden) => golden.name === name)?.responses ?? []).map(fromBase64);
  const plain = (bytes: Uint8Array | undefined): unknown =>
    decodePlain('ModelStreamInferResponse', bytes as Uint8Array);

  test('a response is wrapped with its final flag', () => {
    for (const [name, parameters] of [
      ['stream_two', finalResponseParameters],
      ['stream_decoupled', notFinalResponseParameters],
    ] as const) {
      for (const theirs of responses(name)) {
        const inner = decodePlain('ModelStreamInferResponse', theirs)['infer_response'] as Record<string, unknown>;
        const tensor = { name: 'OUT', datatype: 'INT32', shape: [1], contents: Buffer.from([5, 0, 0, 0]) };
        const view = { model: 'm', version: '1', id: 'r', outputs: [tensor] };
        const wrapped = decodePlain(
          'ModelStreamInferResponse',
          wrapStreamResponse(assembleInferResponse(view), parameters),
        );
        expect((wrapped['infer_response'] as Record<string, unknown>)['parameters']).toEqual(inner['parameters']);
      }
    }
  });

  test('failures found before execution, and in it', () => {
    const [, unknown] = responses('stream_error_between');
    const early = streamError({ message: "Request for unknown model: 'nope' is not found", id: 'bad' });
    expect(plain(early)).toEqual(plain(unknown));
    const [failed] = responses('stream_execution_error');
    const message = decodePlain('ModelStreamInferResponse', failed as Buffer)['error_message'] as string;
    const late = streamError({ message, id: 'x', model: 'fail_negative', finalResponse: true });
    expect(plain(late)).toEqual(plain(failed));
  });

  test('an empty final response', () => {
    const last = responses('stream_decoupled_empty_final').at(-1);
    expect(plain(emptyFinalResponse('repeat_int32', 'r'))).toEqual(plain(last));
  });

  test('a decoupled model is served on streams only', () => {
    const request = fromBase64(streams.find(({ name }) => name === 'stream_decoupled')?.requests?.[0] as string);
    expect(check(request, false).rows).toBe(1);
    expect(() => check(request)).toThrow("ModelInfer RPC doesn't support models with decoupled transaction policy");
  });
});
