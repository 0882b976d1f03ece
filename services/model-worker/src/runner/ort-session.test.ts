import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { distPath } from '../dist-path';

const models = join(__dirname, '../../../../test/fixtures/models');

/**
 * In a process of its own: ONNX Runtime takes no typed arrays from a test's realm. Prints, for each model, what our way
 * to the native library tells of it and what the package's public one does.
 */
const program = `
const { InferenceSession } = require('onnxruntime-node');
const [, module, ...files] = process.argv;
const { OrtSession } = require(module);
async function both(file) {
  const ours = new OrtSession(file, {}, { name: 'cpu' });
  const { inputMetadata, outputMetadata } = await InferenceSession.create(file);
  return [ours.info, { inputMetadata, outputMetadata }];
}
Promise.all(files.map(both)).then((all) => console.log(JSON.stringify(all)));
`;

interface Info {
  readonly inputMetadata: readonly { readonly type: string }[];
}

test('models are described as the public interface of onnxruntime-node describes them', () => {
  const files = readdirSync(models)
    .filter((name) => name.startsWith('identity_') || ['dynamic_shapes', 'simple_string'].includes(name))
    .map((name) => join(models, name, '1/model.onnx'));
  const argv = ['-e', program, distPath('runner/ort-session.js'), ...files];
  const printed = execFileSync(process.execPath, argv, { cwd: __dirname, encoding: 'utf8' });
  const all = JSON.parse(printed) as (readonly [ours: Info, theirs: Info])[];
  for (const [ours, theirs] of all) expect(ours).toEqual(theirs);
  const types = new Set(all.flatMap(([{ inputMetadata }]) => inputMetadata.map(({ type }) => type)));
  expect(types.size).toBe(12);
});
