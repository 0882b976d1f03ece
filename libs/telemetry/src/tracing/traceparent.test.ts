import { contextFromWire, spanIdOf, traceIdOf } from './span-context';
import { checkedTraceState, formatTraceparent, parseTraceparent, unsampledTraceparent } from './traceparent';

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

function parse(traceparent: string | undefined, state?: string) {
  return parseTraceparent(traceparent, () => state);
}

test('a sampled context comes back as it was; its state with it', () => {
  const parent = parse(`00-${trace}-${span}-01`, 'congo=t61rcWkgMzE, rojo=00f067aa0ba902b7');
  if (parent === undefined || parent === 'unsampled') throw new Error('not sampled');
  expect([traceIdOf(parent), spanIdOf(parent)]).toEqual([trace, span]);
  expect(parent.traceState).toBe('congo=t61rcWkgMzE,rojo=00f067aa0ba902b7');
  expect(formatTraceparent(parent)).toBe(`00-${trace}-${span}-01`);
  expect(contextFromWire(parent.wire)).toEqual({ wire: parent.wire, traceState: '' });
});

test.each([
  ['the flag is not set', `00-${trace}-${span}-00`],
  ['flags of level 2, not sampled', `00-${trace}-${span}-02`],
  ['a constant of our own', unsampledTraceparent],
])('unsampled: %s', (_, header) => {
  expect(parse(header, 'a=1')).toBe('unsampled');
});

// The cases of W3C's own test suite (trace-context/test/test.py).
test.each([
  ['none', undefined],
  ['empty', ''],
  ['version ff', `ff-${trace}-${span}-01`],
  ['version 0xff with more', `ff-${trace}-${span}-01-x`],
  ['version 00 with more', `00-${trace}-${span}-01-what-the-future`],
  ['version 00 with a dash', `00-${trace}-${span}-01-`],
  ['a later version with more that no dash precedes', `cc-${trace}-${span}-01.what`],
  ['an illegal version', `.0-${trace}-${span}-01`],
  ['a short version', `0-${trace}-${span}-01`],
  ['a long version', `000-${trace}-${span}-01`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${span}-01`],
  ['an upper-case trace id', `00-${trace.toUpperCase()}-${span}-01`],
  ['an illegal trace id', `00-.${trace.slice(1)}-${span}-01`],
  ['a short trace id', `00-${trace.slice(1)}-${span}-01`],
  ['a long trace id', `00-${trace}0-${span}-01`],
  ['a span id of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
  ['an upper-case span id', `00-${trace}-${span.toUpperCase()}-01`],
  ['a short span id', `00-${trace}-${span.slice(1)}-01`],
  ['a long span id', `00-${trace}-${span}0-01`],
  ['illegal flags', `00-${trace}-${span}-.0`],
  ['upper-case flags', `00-${trace}-${span}-0A`],
  ['short flags', `00-${trace}-${span}-1`],
  ['long flags', `00-${trace}-${span}-001`],
  ['two headers in one', `00-${trace}-${span}-01,00-${trace}-${span}-01`],
  ['other dashes', `00_${trace}_${span}_01`],
])('no context: %s', (_, header) => {
  expect(parse(header)).toBeUndefined();
});

test.each([
  ['a later version', `cc-${trace}-${span}-01`],
  ['a later version with more', `cc-${trace}-${span}-01-what-the-future-will-be-like`],
  ['flags that are not known', `00-${trace}-${span}-ff`],
  ['space around it', ` 00-${trace}-${span}-01\t`],
])('goes on as version 00, with no flag but sampled: %s', (_, header) => {
  const parent = parse(header);
  if (parent === undefined || parent === 'unsampled') throw new Error('not sampled');
  expect(formatTraceparent(parent)).toBe(`00-${trace}-${span}-01`);
});

test.each([
  ['foo=1', 'foo=1'],
  ['foo=1,bar=2', 'foo=1,bar=2'],
  ['foo=1 \t , \t bar=2, \t ', 'foo=1,bar=2'],
  ['foo=1,', 'foo=1'],
  [',', ''],
  ['foo@bar=1,0a@b=2', 'foo@bar=1,0a@b=2'],
  [`${'z'.repeat(256)}=1`, `${'z'.repeat(256)}=1`],
  [`${'t'.repeat(241)}@${'v'.repeat(14)}=1`, `${'t'.repeat(241)}@${'v'.repeat(14)}=1`],
  [`foo=${'v'.repeat(256)}`, `foo=${'v'.repeat(256)}`],
  [
    Array.from({ length: 32 }, (_, n) => `k${n}=1`).join(','),
    Array.from({ length: 32 }, (_, n) => `k${n}=1`).join(','),
  ],
  // Invalid: nothing is passed on.
  ['foo =1', ''],
  ['FOO=1', ''],
  ['foo.bar=1', ''],
  ['foo@=1', ''],
  ['@foo=1', ''],
  ['foo@@bar=1', ''],
  ['foo@bar@baz=1', ''],
  ['0foo=1', ''],
  ['foo=1,foo=2', ''],
  ['foo', ''],
  ['foo=', ''],
  ['foo=bar=baz', ''],
  ['foo=,bar=3', ''],
  [`${'z'.repeat(257)}=1`, ''],
  [`${'t'.repeat(242)}@v=1`, ''],
  [`t@${'v'.repeat(15)}=1`, ''],
  [`foo=${'v'.repeat(257)}`, ''],
  ['foo=é', ''],
  [Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(','), ''],
])('tracestate %j', (header, passedOn) => {
  expect(checkedTraceState(header)).toBe(passedOn);
});

test('of a tracestate that is too long the first members are passed on', () => {
  const members = ['a', 'b', 'c'].map((key) => `${key}=${key.repeat(200)}`);
  expect(checkedTraceState(members.join(','))).toBe(members.slice(0, 2).join(','));
});

test('a tracestate of very many blanks is looked at once', () => {
  // A minute, were they looked at from each of them.
  const blanks = ' \t'.repeat(200_000);
  expect(checkedTraceState(`a=1,b=2${blanks}3`)).toBe('');
  expect(checkedTraceState(`${blanks}a=1${blanks},${blanks}`)).toBe('a=1');
});

test('a link’s bytes that are no sampled context are none', () => {
  const good = Buffer.from(`${trace}${span}01`, 'hex');
  expect(contextFromWire(good)).toBeDefined();
  expect(contextFromWire(undefined)).toBeUndefined();
  expect(contextFromWire(good.subarray(1))).toBeUndefined();
  expect(contextFromWire(Buffer.concat([good, good]))).toBeUndefined();
  for (const [from, to] of [
    [0, 16],
    [16, 24],
    [24, 25],
  ] as const)
    expect(contextFromWire(Buffer.from(good).fill(0, from, to))).toBeUndefined();
  const message = Buffer.from(good);
  const context = contextFromWire(message)!;
  message.fill(0);
  expect(context.wire).toEqual(good);
});
