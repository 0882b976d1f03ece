import type { Masker } from '@shoal/explain';
import { decodeStrings, encodeStrings, fromNumbers, toNumbers } from '@shoal/tensor';
import type { BackgroundRows } from '../backgrounds/background-rows';
import type { ExplainedInputMessage } from '../requests/messages';
import { playersOf } from '../requests/players';
import type { Tensor } from '../requests/tensor';
import { makeMasker } from './make-masker';

const plain = {
  feature_names: [],
  groups: [],
  grid: null,
  text: null,
  fixed: [],
  removal: null,
  superpixels: null,
  image: null,
};
const asked = (name: string, more: Partial<ExplainedInputMessage> = {}) => ({ ...plain, name, ...more });

const row: Tensor[] = [
  { name: 'size', datatype: 'FP32', shape: [1, 2], bytes: fromNumbers('FP32', [1, 2]) },
  { name: 'kind', datatype: 'BYTES', shape: [1, 2], bytes: encodeStrings(['red', 'round']) },
  { name: 'note', datatype: 'BYTES', shape: [1, 1], bytes: encodeStrings(['so good']) },
];
const background: BackgroundRows = {
  count: 2,
  contents: [fromNumbers('FP32', [10, 20, 30, 40])],
  weights: Float64Array.of(0.5, 0.5),
  source: 'request',
  ...{ name: '', sha256: '', warnings: [] },
};

function written(masker: Masker, ...coalitions: number[][]): Uint8Array[] {
  const batch = { count: coalitions.length, players: masker.players, masks: Uint8Array.from(coalitions.flat()) };
  const into = masker.byteSizes(batch, 0, batch.count).map((size) => new Uint8Array(size));
  masker.write(batch, 0, batch.count, into);
  return into;
}

test('numbers come from each background row in turn; words and elements are absent beside them', () => {
  const inputs = [asked('size'), asked('kind', { text: { pieces: [], mask: '?' } }), asked('note')];
  const masker = makeMasker(playersOf(row, inputs, true, 10), row, background);
  expect(masker.names).toEqual(['size[0]', 'size[1]', 'red', 'round', 'so', 'good']);
  const [size, kind, note] = written(masker, [1, 0, 1, 0, 0, 1], [0, 1, 0, 1, 1, 0]);
  expect([...toNumbers('FP32', size as Uint8Array)]).toEqual([1, 20, 1, 40, 10, 2, 30, 2]);
  expect(decodeStrings(kind as Uint8Array)).toEqual(['red', '?', 'red', '?', '?', 'round', '?', 'round']);
  expect(decodeStrings(note as Uint8Array)).toEqual(['good', 'good', 'so', 'so']);
});

test('a group of the same number is one player over numbers and words', () => {
  const inputs = [asked('size', { groups: [7, 8] }), asked('note', { groups: [8, 8] })];
  const masker = makeMasker(playersOf(row, inputs, true, 10), row, background);
  expect(masker.names).toEqual(['group 7', 'group 8']);
  const [size, note] = written(masker, [0, 1]);
  expect([...toNumbers('FP32', size as Uint8Array)]).toEqual([10, 2, 30, 2]);
  expect(decodeStrings(note as Uint8Array)).toEqual(['so good', 'so good']);
});
