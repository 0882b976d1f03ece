import { HeaderBlock } from './header-block';
import { HeaderField } from './header-field';

function block(...pairs: string[]): HeaderBlock {
  const made = new HeaderBlock();
  for (let i = 0; i < pairs.length; i += 2) made.add(new HeaderField(pairs[i]!, pairs[i + 1]!), 1000);
  return made;
}

const get = [':method', 'GET', ':scheme', 'http', ':path', '/'];

test('well-formed messages', () => {
  expect(block(...get).isRequest).toBe(true);
  expect(block(...get, ':authority', 'here', 'te', 'trailers').isRequest).toBe(true);
  expect(block(':method', 'CONNECT', ':authority', 'here:1').isRequest).toBe(true);
  expect(block(':status', '204', 'content-length', '0', 'content-length', '0').isResponse).toBe(true);
  expect(block('grpc-status', '0').isTrailers).toBe(true);
});

test.each([
  ['no path', [':method', 'GET', ':scheme', 'http']],
  ['empty path', [':method', 'GET', ':scheme', 'http', ':path', '']],
  ['two paths', [...get, ':path', '/']],
  ['a status', [...get, ':status', '200']],
  ['a pseudo-header field behind others', [':method', 'GET', ':scheme', 'http', 'a', 'b', ':path', '/']],
  ['an unknown pseudo-header field', [...get, ':protocol', 'x']],
  ['a connection-specific field', [...get, 'connection', 'close']],
  ['te other than trailers', [...get, 'te', 'gzip']],
  ['upper case', [...get, 'Name', 'x']],
  ['a line break in a value', [...get, 'name', 'a\r\nb']],
  ['a blank around a value', [...get, 'name', 'a ']],
  ['contradicting lengths', [...get, 'content-length', '1', 'content-length', '2']],
  ['a length that is no number', [...get, 'content-length', '-1']],
  ['CONNECT with a path', [':method', 'CONNECT', ':authority', 'here', ':path', '/']],
])('%s makes a request malformed', (_what, pairs) => expect(block(...pairs).isRequest).toBe(false));

test('nothing of a list that is too large is kept', () => {
  const made = block('a', 'x'.repeat(900), 'b', 'x'.repeat(100));
  expect(made.tooLarge).toBe(true);
  expect(made.fields).toEqual([]);
});
