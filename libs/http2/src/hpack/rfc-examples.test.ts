import { HpackDecoder } from './decoder';
import { writeInteger } from './integer';

/** Examples of RFC 7541 Appendix C: for each block, its bytes, its list, and the table's size behind it. */
type Example = [hex: string, list: Record<string, string>, tableSize: number];

const get = { method: 'GET', scheme: 'http', path: '/', authority: 'www.example.com' };
const requestLists: [Record<string, string>, number][] = [
  [get, 57],
  [{ ...get, 'cache-control': 'no-cache' }, 110],
  [{ ...get, scheme: 'https', path: '/index.html', 'custom-key': 'custom-value' }, 164],
];
const at21 = { date: 'Mon, 21 Oct 2013 20:13:21 GMT', location: 'https://www.example.com', 'cache-control': 'private' };
const responseLists: [Record<string, string>, number][] = [
  [{ status: '302', ...at21 }, 222],
  [{ status: '307', ...at21 }, 222],
  [
    {
      status: '200',
      ...at21,
      date: 'Mon, 21 Oct 2013 20:13:22 GMT',
      'content-encoding': 'gzip',
      'set-cookie': 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    },
    215,
  ],
];

const suites: Record<string, { capacity: number; blocks: string[]; lists: [Record<string, string>, number][] }> = {
  'C.3 requests without Huffman': {
    capacity: 4096,
    blocks: [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ],
    lists: requestLists,
  },
  'C.4 requests with Huffman': {
    capacity: 4096,
    blocks: [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ],
    lists: requestLists,
  },
  'C.5 responses without Huffman, with eviction': {
    capacity: 256,
    blocks: [
      '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d',
      '4803333037c1c0bf',
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
    ],
    lists: responseLists,
  },
  'C.6 responses with Huffman, with eviction': {
    capacity: 256,
    blocks: [
      '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ],
    lists: responseLists,
  },
};

test.each(Object.keys(suites))('RFC 7541 %s', (name) => {
  const { capacity, blocks, lists } = suites[name]!;
  const decoder = new HpackDecoder(capacity, 65_536);
  const decoded = blocks.map((hex) => decode(decoder, hex));
  expect(decoded).toEqual(lists);
});

test.each<Example>([
  ['400a637573746f6d2d6b65790d637573746f6d2d686561646572', { 'custom-key': 'custom-header' }, 55],
  ['040c2f73616d706c652f70617468', { path: '/sample/path' }, 0],
  ['100870617373776f726406736563726574', { password: 'secret' }, 0],
  ['82', { method: 'GET' }, 0],
])('RFC 7541 C.2 %s', (hex, list, tableSize) => {
  expect(decode(new HpackDecoder(4096, 65_536), hex)).toEqual([list, tableSize]);
});

test('RFC 7541 C.1 integers', () => {
  const out = Buffer.alloc(8);
  const written = (value: number, prefixMax: number) =>
    out.subarray(0, writeInteger(out, 0, value, prefixMax, 0)).toString('hex');
  expect(written(10, 31)).toBe('0a');
  expect(written(1337, 31)).toBe('1f9a0a');
  expect(written(42, 255)).toBe('2a');
});

test.each([
  ['index 0', '80'],
  ['index beyond the table', 'be'],
  ['integer without end', 'ffffffffffffff'],
  ['integer too large', 'ffffffffff7f'],
  ['string beyond the block', '400a6375'],
  ['padding of eight bits', '0083a8ffff0161'],
  ['end of string inside', '0085ffffffffff0161'],
  ['table size above the setting', '3fe21f'],
  ['table size update behind a field', '8220'],
])('%s is a compression error', (_name, hex) => {
  const bytes = Buffer.from(hex, 'hex');
  expect(() => new HpackDecoder(4096, 65_536).decode(bytes, 0, bytes.length)).toThrow(
    expect.objectContaining({ code: 'COMPRESSION_ERROR' }),
  );
});

/** A block's list, and the table's size behind it. */
function decode(decoder: HpackDecoder, hex: string): [Record<string, string>, number] {
  const bytes = Buffer.from(hex, 'hex');
  const { status, method, scheme, authority, path, fields } = decoder.decode(bytes, 0, bytes.length);
  const found: Record<string, string> = {};
  if (status > 0) found['status'] = String(status);
  if (method !== undefined) found['method'] = method;
  if (scheme !== undefined) found['scheme'] = scheme;
  if (authority !== undefined) found['authority'] = authority;
  if (path !== undefined) found['path'] = path.value;
  for (const field of fields) found[field.name] = field.value;
  return [found, decoder.tableSize];
}
