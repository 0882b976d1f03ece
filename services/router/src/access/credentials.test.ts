import crypto from 'node:crypto';
import { DigestMap, digestOfKey, sha256 } from './credentials';

const call = (headers: Readonly<Record<string, string>>) => ({ header: (name: string) => headers[name] });

test('a key comes in one of two headers', () => {
  const digest = crypto.createHash('sha256').update('k').digest();
  expect(digestOfKey(call({ authorization: 'Bearer k' }))).toEqual(digest);
  expect(digestOfKey(call({ authorization: 'bearer  k ' }))).toEqual(digest);
  expect(digestOfKey(call({ 'x-api-key': 'k' }))).toEqual(digest);
  expect(digestOfKey(call({}))).toBeUndefined();
  for (const empty of ['', ' ']) {
    expect(() => digestOfKey(call({ 'x-api-key': empty }))).toThrow(/^the key is not known/);
  }
  for (const authorization of ['', 'k', 'Basic k', 'Bearer', 'Bearer a b']) {
    expect(() => digestOfKey(call({ authorization, 'x-api-key': 'k' }))).toThrow(/^this server takes keys only/);
  }
});

test('digests that begin alike are told apart, in constant time', () => {
  const compared = jest.spyOn(crypto, 'timingSafeEqual');
  const map = new DigestMap<string>();
  const a = sha256('a');
  const alike = Buffer.concat([a.subarray(0, 31), Buffer.of((a[31] ?? 0) ^ 1)]);
  map.set(a, 'a');
  expect([map.get(a), map.get(alike), map.get(sha256('b'))]).toEqual(['a', undefined, undefined]);
  map.set(alike, 'alike');
  expect([map.get(a), map.get(alike)]).toEqual(['a', 'alike']);
  // Each time against all that are left, whichever of them fits.
  expect(compared).toHaveBeenCalledTimes(1 + 1 + 2 + 2);
  compared.mockRestore();
});
