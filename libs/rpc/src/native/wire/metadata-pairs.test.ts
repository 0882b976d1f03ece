import { HeaderBlock, HeaderField } from '@shoal/http2';
import { appendMetadata, decodeBinary, metadataOf } from './metadata-pairs';

function block(...pairs: string[]): HeaderBlock {
  const made = new HeaderBlock();
  for (let i = 0; i < pairs.length; i += 2) made.add(new HeaderField(pairs[i]!, pairs[i + 1]!), 1 << 20);
  return made;
}

test('metadata becomes pairs and comes back', () => {
  const sent = { 'x-text': 'a, b~', 'x-bin': Buffer.from([0, 255, 7, 1]), 'x_1.2': '' };
  const pairs: string[] = [];
  appendMetadata(pairs, sent);
  expect(pairs).toEqual(['x-text', 'a, b~', 'x-bin', 'AP8HAQ', 'x_1.2', '']);
  expect(metadataOf(block(...pairs))).toEqual(sent);
});

test.each([
  ['X-Upper', 'v', 'no name'],
  ['', 'v', 'no name'],
  [':path', 'v', 'no name'],
  ['grpc-status', '0', 'no name'],
  ['x', 'ünïcode', 'printable'],
  ['x', 'line\n', 'printable'],
  ['x-bin', 'text', 'binary'],
  ['x', Buffer.from('bytes'), 'binary'],
])('%s with %j is refused', (name, value, why) => {
  expect(() => appendMetadata([], { [name]: value })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(() => appendMetadata([], { [name]: value })).toThrow(why);
});

test('blanks at the ends of a text are dropped', () => {
  const pairs: string[] = [];
  appendMetadata(pairs, { x: ' in between ' });
  expect(pairs).toEqual(['x', 'in between']);
});

test.each([
  ['AAE', [0, 1]],
  ['AAE=', [0, 1]],
  ['AAE,Ag', [0, 1]],
  ['', []],
])('binary value %j', (value, bytes) => expect([...decodeBinary(value)]).toEqual(bytes));

test("what is the protocol's own is not shown; repeated texts are joined, of repeated binaries the first counts", () => {
  const got = metadataOf(
    block(
      'content-type',
      'application/grpc',
      'x',
      '1',
      'grpc-encoding',
      'gzip',
      'x',
      '2',
      'b-bin',
      'AQ',
      'b-bin',
      'Ag',
    ),
  );
  expect(got).toEqual({ x: '1,2', 'b-bin': Buffer.from([1]) });
});
