import { isLoopback } from '@shoal/config';
import { testConfig } from '../testing/router-rig';
import { checkAccess } from './check-config';

test.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])(
  '%s is this machine only',
  (address) => {
    expect(isLoopback(address)).toBe(true);
    checkAccess(testConfig({ grpcAddress: address }));
  },
);

test.each([
  '0.0.0.0',
  '::',
  '[::]',
  '10.0.0.1',
  '::ffff:10.0.0.1',
  '::2',
  'fe80::1',
  'localhost.example',
  'router',
  '',
  '1271.0.0.1',
  '0',
  '0x0',
  '::ffff:0.0.0.0',
  '127.0.0.1.example',
])('%j can be reached by others: that somebody wants it has to be said', (address) => {
  expect(isLoopback(address)).toBe(false);
  expect(() => checkAccess(testConfig({ grpcAddress: address }))).toThrow(
    /--auth-file=FILE .* --allow-unauthenticated=true/,
  );
  checkAccess(testConfig({ grpcAddress: address, allowUnauthenticated: true }));
  checkAccess(testConfig({ grpcAddress: address, allowGrpc: false }));
});

test('an auth file is looked at, whether or not the address needs one', () => {
  for (const grpcAddress of ['0.0.0.0', '127.0.0.1']) {
    const config = testConfig({ grpcAddress, authFile: '/nowhere/at/all.json', allowUnauthenticated: true });
    expect(() => checkAccess(config)).toThrow('--auth-file /nowhere/at/all.json: there is no such file');
  }
});
