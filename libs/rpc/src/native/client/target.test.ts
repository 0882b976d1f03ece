import { parseTarget } from './target';

test.each([
  ['localhost:8001', { host: 'localhost', port: 8001 }, 'localhost:8001', 'localhost'],
  ['my-host.example:1', { host: 'my-host.example', port: 1 }, 'my-host.example:1', 'my-host.example'],
  ['127.0.0.1:65535', { host: '127.0.0.1', port: 65_535 }, '127.0.0.1:65535', undefined],
  ['[::1]:80', { host: '::1', port: 80 }, '[::1]:80', undefined],
  ['[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80 }, '[fe80::1%eth0]:80', undefined],
  ['unix:/tmp/a.sock', { path: '/tmp/a.sock' }, 'localhost', 'localhost'],
  ['unix:///tmp/a.sock', { path: '/tmp/a.sock' }, 'localhost', 'localhost'],
])('%s', (text, address, authority, name) => {
  expect(parseTarget(text)).toEqual({ text, address, authority, name });
});

test.each(['', 'localhost', ':80', 'localhost:', 'localhost:0', 'localhost:65536', '::1:80', 'http://a:80', 'a b:80'])(
  '%j is no target',
  (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => parseTarget(text)).toThrow(`'${text}'`);
  },
);

test("a unix socket's path has a length", () => {
  expect(() => parseTarget('unix:')).toThrow('1 to 107 bytes');
  expect(() => parseTarget(`unix:/${'x'.repeat(120)}`)).toThrow('1 to 107 bytes');
});
