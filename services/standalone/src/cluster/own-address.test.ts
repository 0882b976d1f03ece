import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import { ownHost } from './own-address';

function at(address: string, internal = false): NetworkInterfaceInfo[] {
  return [{ address, internal, netmask: '', mac: '', cidr: null, family: 'IPv4' }];
}

const loopback = { lo: at('127.0.0.1', true), lo6: at('::1', true) };

test('a host that is named stays', () => {
  expect(ownHost('runner-host', '10.0.0.1', {})).toBe('10.0.0.1');
  expect(ownHost('runner-host', 'auto.example', {})).toBe('auto.example');
});

test('auto is an address that others can reach, IPv4 rather than IPv6', () => {
  expect(
    ownHost('runner-host', 'auto', { ...loopback, a: at('fe80::1'), b: at('2001:db8::1'), c: at('172.18.0.3') }),
  ).toBe('172.18.0.3');
  expect(ownHost('runner-host', 'auto', { ...loopback, z: at('169.254.1.1'), b: at('2001:db8::1') })).toBe(
    '[2001:db8::1]',
  );
});

test('a machine by itself has none', () => {
  expect(() => ownHost('link-address', 'auto', loopback)).toThrow('--link-address=auto: this machine has no address');
});

test('where this machine has one, it is one', () => {
  const others = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  if (others.every(({ internal, address }) => internal || address.startsWith('fe80'))) return;
  expect(isIP(ownHost('link-address', 'auto').replace(/^\[(.*)\]$/, '$1'))).not.toBe(0);
});
