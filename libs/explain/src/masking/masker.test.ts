import {
  fixedInput,
  gridGroups,
  type InputMasker,
  type Masker,
  masker,
  overChannels,
  playersOfGroups,
  removingInput,
  stringsInput,
  tabularPlayers,
  textInput,
  wordGroups,
  wordsOfText,
} from '@shoal/explain';
import { type DataType, dataTypes, decodeByteElements, encodeStrings, fromNumbers, toNumbers } from '@shoal/tensor';

/** What a masker writes of coalitions. */
function written(of: Masker, ...rows: readonly (readonly number[])[]): Uint8Array[] {
  const batch = { count: rows.length, players: of.players, masks: Uint8Array.from(rows.flat()) };
  const into = of.byteSizes(batch, 0, rows.length).map((size) => new Uint8Array(size).fill(0xee));
  of.write(batch, 0, rows.length, into);
  return into;
}

const named = (players: number, ...inputs: readonly InputMasker[]) =>
  masker(
    Array.from({ length: players }, (_, i) => `p${i}`),
    inputs,
  );

const numeric = dataTypes.filter((type) => type !== 'BYTES') as Exclude<DataType, 'BYTES'>[];

test.each(numeric)('%s passes through bit for bit, row by row of the background', (datatype) => {
  // BOOL holds no more than 0 and 1.
  const [row, background] =
    datatype === 'BOOL'
      ? [
          [1, 0, 1],
          [0, 1, 0, 1, 1, 0],
        ]
      : [
          [7, 8, 9],
          [1, 2, 3, 4, 5, 6],
        ];
  const input = fixedInput({
    datatype,
    playerOf: Int32Array.of(0, 1, 0),
    row: fromNumbers(datatype, row),
    background: fromNumbers(datatype, background),
  });
  const [bytes] = written(named(2, input), [0, 0], [1, 0], [0, 1], [1, 1]);
  const [x, b, c] = [row, background.slice(0, 3), background.slice(3)] as [number[], number[], number[]];
  expect([...toNumbers(datatype, bytes!)]).toEqual(
    [b, c, [x[0], b[1], x[2]], [x[0], c[1], x[2]], [b[0], x[1], b[2]], [c[0], x[1], c[2]], x, x].flat(),
  );
});

test('elements of no player are always the explained row’s, even where a number cannot say them', () => {
  const nan = Uint8Array.of(1, 2, 0xc0, 0x7f, 0, 0, 0, 0);
  const input = fixedInput({
    datatype: 'FP32',
    playerOf: Int32Array.of(-1, 0),
    row: nan,
    background: new Uint8Array(8).fill(9),
  });
  expect([...written(named(1, input), [0])[0]!]).toEqual([1, 2, 0xc0, 0x7f, 9, 9, 9, 9]);
});

test('a part of a batch is written from its first coalition on', () => {
  const input = fixedInput({
    datatype: 'UINT8',
    playerOf: Int32Array.of(0),
    row: Uint8Array.of(5),
    background: Uint8Array.of(0),
  });
  const of = named(1, input);
  const into = [new Uint8Array(2)];
  of.write({ count: 4, players: 1, masks: Uint8Array.of(1, 1, 0, 1) }, 2, 2, into);
  expect([...into[0]!]).toEqual([0, 5]);
});

test('tokens that are removed close the gap in every input of the sequence, and the end is padded', () => {
  const playerOf = wordGroups([null, 0, 0, 1, null]).playerOf;
  const ids = removingInput({
    datatype: 'INT64',
    playerOf,
    row: fromNumbers('INT64', [101, 7, 8, 9, 102]),
    pad: fromNumbers('INT64', [0]),
  });
  const mask = removingInput({
    datatype: 'INT32',
    playerOf,
    row: fromNumbers('INT32', [1, 1, 1, 1, 1]),
    pad: fromNumbers('INT32', [0]),
  });
  const [a, b] = written(named(2, ids, mask), [1, 1], [0, 1], [0, 0]);
  expect([...toNumbers('INT64', a!)]).toEqual([101, 7, 8, 9, 102, 101, 9, 102, 0, 0, 101, 102, 0, 0, 0]);
  expect([...toNumbers('INT32', b!)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0]);
});

test('words of a text are left out or replaced; bytes are what the length says', () => {
  const pieces = wordsOfText('Größe  zählt not ');
  expect(pieces.map(({ text }) => text)).toEqual(['Größe', '  zählt', ' not', ' ']);
  const texts = (bytes: Uint8Array) => decodeByteElements(bytes).map((one) => new TextDecoder().decode(one));
  expect(texts(written(named(3, textInput(pieces)), [1, 1, 1], [0, 1, 1], [1, 0, 0], [0, 0, 0])[0]!)).toEqual([
    'Größe  zählt not ',
    'zählt not ',
    'Größe ',
    '',
  ]);
  expect(texts(written(named(3, textInput(pieces, '[UNK]')), [1, 0, 1])[0]!)).toEqual(['Größe  [UNK] not ']);
  expect(texts(written(named(2, textInput(wordsOfText(' a b'))), [0, 1])[0]!)).toEqual([' b']);
});

test('elements of BYTES come from the row or from each background row', () => {
  const input = stringsInput(Int32Array.of(0, 1), encodeStrings(['red', 'L']), encodeStrings(['blue', 'S', '', 'M']));
  expect(decodeByteElements(written(named(2, input), [1, 0], [0, 1])[0]!).map(String)).toEqual(
    ['red', 'S', 'red', 'M', 'blue', 'L', '', 'L'].map((text) => String(new TextEncoder().encode(text))),
  );
});

test('groups: by name, by number, cells of a grid, channels', () => {
  expect(tabularPlayers(['age', 'lat', 'pay', 'lon'], { place: ['lon', 'lat'] })).toEqual({
    names: ['age', 'place', 'pay'],
    playerOf: Int32Array.of(0, 1, 2, 1),
  });
  expect(() => tabularPlayers(['a'], { g: ['b'] })).toThrow("group 'g': there is no feature 'b'");
  expect(() => tabularPlayers(['a'], { g: ['a'], h: ['a'] })).toThrow("feature 'a' is in two groups");
  expect(playersOfGroups([30, 7, -1, 30])).toEqual({ playerOf: Int32Array.of(1, 0, -1, 1), players: 2 });
  expect([...gridGroups(3, 4, 2, 2)]).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3]);
  expect(() => gridGroups(3, 4, 4, 1)).toThrow(/cannot be cut/u);
  expect([...overChannels(Int32Array.of(0, 1), 3, true)]).toEqual([0, 1, 0, 1, 0, 1]);
  expect([...overChannels(Int32Array.of(0, 1), 3, false)]).toEqual([0, 0, 0, 1, 1, 1]);
});

test('inputs that do not fit together are refused', () => {
  const input = (rows: number) =>
    fixedInput({
      datatype: 'INT8',
      playerOf: Int32Array.of(0),
      row: Uint8Array.of(1),
      background: new Uint8Array(rows),
    });
  expect(() => named(1, input(2), input(3))).toThrow(/equally many background rows, got 2 and 3/u);
  expect(() => named(0, input(1))).toThrow(/at least one player/u);
  expect(() => input(0)).toThrow(/a row of 1 elements has 1 bytes of INT8/u);
});
