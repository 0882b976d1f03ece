import * as fc from 'fast-check';
import { block, frame, settings, word } from '../testing/frames';
import { clientPreface, flags, frameTypes } from './constants';
import { FrameReader } from './frame-reader';

const padded = Buffer.concat([Buffer.from([5]), Buffer.from('data'), Buffer.alloc(5)]);
const stream = Buffer.concat([
  clientPreface,
  settings([3, 100], [4, 1 << 20]),
  frame(frameTypes.HEADERS, flags.END_HEADERS, 1, block(':method', 'GET', ':path', '/')),
  frame(frameTypes.DATA, 0, 1, Buffer.from('abcdefgh')),
  frame(frameTypes.DATA, flags.PADDED, 1, padded),
  frame(frameTypes.DATA, flags.PADDED, 1, Buffer.from([3, 0, 0, 0])),
  frame(frameTypes.DATA, 0, 1),
  frame(frameTypes.PING, 0, 0, Buffer.alloc(8, 7)),
  frame(frameTypes.DATA, flags.END_STREAM, 1, Buffer.from('end')),
  frame(frameTypes.WINDOW_UPDATE, 0, 0x7fffffff, word(1)),
]);
const expected = [
  `frame 4 0 0 ${text(Buffer.from([0, 3, 0, 0, 0, 100, 0, 4, 0, 16, 0, 0]))}`,
  `frame 1 4 1 ${text(block(':method', 'GET', ':path', '/'))}`,
  'data 0 1 8 0 abcdefgh',
  'data 8 1 10 6 data',
  'data 8 1 4 4 ',
  'data 0 1 0 0 ',
  `frame 6 0 0 ${'\x07'.repeat(8)}`,
  'data 1 1 3 0 end',
  'frame 8 0 2147483647 \0\0\0\x01',
];

function text(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** What a reader makes of the chunks, with DATA put together again. */
function read(chunks: readonly Buffer[], limit = 16_384): string[] {
  const events: string[] = [];
  let data = '';
  const reader = new FrameReader(
    {
      frame: (type, frameFlags, id, bytes, start, end) =>
        void events.push(`frame ${type} ${frameFlags} ${id} ${text(bytes, start, end)}`),
      dataStart: (frameFlags, id, length, padding) => (data = `data ${frameFlags} ${id} ${length} ${padding} `),
      dataChunk: (bytes, start, end) => {
        expect(end).toBeGreaterThan(start);
        data += text(bytes, start, end);
      },
      dataEnd: () => void events.push(data),
    },
    limit,
    true,
  );
  for (const chunk of chunks) {
    // A chunk's bytes may be overwritten as soon as it has been read.
    const lent = Buffer.from(chunk);
    reader.push(lent);
    lent.fill(0xee);
  }
  return events;
}

test('frames are the same wherever the bytes are cut', () => {
  expect(read([stream])).toEqual(expected);
  for (let cut = 1; cut < stream.length; cut++) {
    expect(read([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(expected);
  }
  expect(read([...stream].map((octet) => Buffer.from([octet])))).toEqual(expected);
});

test('frames are the same however many pieces the bytes come in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
      expect(read(at.slice(1).map((end, i) => stream.subarray(at[i], end)))).toEqual(expected);
    }),
  );
});

test.each([
  ['a wrong preface', 'PROTOCOL_ERROR', Buffer.from('GET / HTTP/1.1\r\n')],
  [
    'a frame above the limit',
    'FRAME_SIZE_ERROR',
    Buffer.concat([clientPreface, Buffer.from('004001000000000001', 'hex')]),
  ],
  [
    'padding longer than its frame',
    'PROTOCOL_ERROR',
    Buffer.concat([clientPreface, frame(0, 8, 1, Buffer.from([4, 0, 0]))]),
  ],
  ['no room for the pad length', 'FRAME_SIZE_ERROR', Buffer.concat([clientPreface, frame(0, 8, 1)])],
])('%s', (_what, code, bytes) => {
  expect(() => read([bytes])).toThrow(expect.objectContaining({ code }));
});

test('large frames other than DATA are not put together', () => {
  const large = Buffer.concat([clientPreface, Buffer.from('010000010400000001', 'hex')]);
  expect(() => read([large], 1 << 20)).toThrow(expect.objectContaining({ code: 'FRAME_SIZE_ERROR' }));
});
