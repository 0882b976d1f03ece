import type { CallContext } from '@shoal/rpc';
import { Restrictions } from './restrictions';

function call(method: string, headers: Readonly<Record<string, string>> = {}): CallContext {
  const path = method.startsWith('/') ? method : `/inference.GRPCInferenceService/${method}`;
  return { path, header: (name: string) => headers[name] } as unknown as CallContext;
}

const refusal = "This protocol is restricted, expecting header 'triton-grpc-protocol-admin-key'";

test('calls of the groups need the header with the value, others do not', () => {
  const restrictions = new Restrictions(['model-repository,health:admin-key=a=b', 'inference:infer-key=x']);
  const right = { 'triton-grpc-protocol-admin-key': 'a=b' };
  for (const method of ['RepositoryModelLoad', 'RepositoryIndex', 'ServerLive', '/grpc.health.v1.Health/Check']) {
    expect(() => restrictions.check(call(method))).toThrow(refusal);
    expect(() => restrictions.check(call(method, { 'triton-grpc-protocol-admin-key': 'a' }))).toThrow(refusal);
    restrictions.check(call(method, right));
  }
  restrictions.check(call('ModelConfig'));
  expect(() => restrictions.check(call('ModelInfer', right))).toThrow('-infer-key');
  expect(restrictions.concern('/inference.GRPCInferenceService/ModelInfer')).toBe(true);
  expect(restrictions.concern('/inference.GRPCInferenceService/ModelConfig')).toBe(false);
});

test('values that an environment variable has split at its commas are put together again', () => {
  const restrictions = new Restrictions(['health', 'trace:k=v', 'logging:k=w']);
  const concerned = ['ServerLive', 'TraceSetting', 'LogSettings', 'ModelInfer'].map((name) =>
    restrictions.concern(call(name).path),
  );
  expect(concerned).toEqual([true, true, true, false]);
});

test.each([
  [['health'], "option format is '<protocols>:<key>=<value>'"],
  [['health:k'], "option format is '<protocols>:<key>=<value>'"],
  [['health:k='], "the value of 'k' is empty"],
  [['health:k y=v'], 'expected letters, digits'],
  [['model-reposit,health:k=v'], "unknown restricted protocol 'model-reposit'"],
  [['traffic:k=v'], "unknown restricted protocol 'traffic'"],
  [
    ['health:k1=topsecret', 'metadata,health:k2=topsecret'],
    "restricted protocol 'health' can not be specified in multiple config groups",
  ],
])('%j is refused', (values, message) => {
  expect(() => new Restrictions(values)).toThrow(message);
  expect(() => new Restrictions(values)).not.toThrow('topsecret');
});
