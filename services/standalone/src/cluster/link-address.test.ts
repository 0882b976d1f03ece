import { checkLinkHost, hostOf } from './link-address';

test.each(['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost'])('%s is of this machine alone', (host) => {
  expect(() => checkLinkHost('runner-host', host, false)).not.toThrow();
});

test.each(['10.0.0.1', '0a', '192.168.1.2', 'fe80::1', '[2001:db8::1]', 'gpu-7', '::ffff:10.0.0.1'])(
  '%s is open, and only served when that is allowed',
  (host) => {
    expect(() => checkLinkHost('runner-host', host, false)).toThrow('--allow-open-links=true');
    expect(() => checkLinkHost('runner-host', host, true)).not.toThrow();
  },
);

test.each(['', '0.0.0.0', '::', '[::]', '[0:0:0:0:0:0:0:0]', '::ffff:0.0.0.0', '0', '0x0', '0.0'])(
  'nobody could be told to come to %j',
  (host) => {
    expect(() => checkLinkHost('runner-host', host, true)).toThrow('reach this one');
  },
);

test('the host of an address', () => {
  expect(hostOf('link-address', '127.0.0.1:0')).toBe('127.0.0.1');
  expect(hostOf('link-address', '[::1]:7000')).toBe('[::1]');
  for (const wrong of ['127.0.0.1', ':7', '::1:7', 'a:70000', 'a:x', '']) {
    expect(() => hostOf('link-address', wrong)).toThrow('expected HOST:PORT');
  }
});
