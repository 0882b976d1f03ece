import { loadService } from '@shoal/rpc';
import { type Group, groupOf, isControl, isOpen } from './groups';

const inference = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');

test('every call of the public API has a group of Triton’s, and none falls to control', () => {
  const found: Partial<Record<Group, string[]>> = {};
  for (const [name, { path }] of Object.entries(inference)) (found[groupOf(path)] ??= []).push(name);
  expect(found).toMatchObject({
    health: ['ServerLive', 'ServerReady', 'ModelReady'],
    metadata: ['ServerMetadata', 'ModelMetadata'],
    inference: ['ModelInfer', 'ModelStreamInfer'],
    'model-config': ['ModelConfig'],
    statistics: ['ModelStatistics'],
    'model-repository': ['RepositoryIndex', 'RepositoryModelLoad', 'RepositoryModelUnload'],
    trace: ['TraceSetting'],
    logging: ['LogSettings'],
  });
  expect(found['shared-memory']).toHaveLength(6);
  expect(found.control).toBeUndefined();
});

test.each([
  ['/grpc.health.v1.Health/Watch', 'health'],
  ['/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', 'metadata'],
  ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', 'metadata'],
  ['/shoal.control.v1.TrafficControl/SetTraffic', 'traffic'],
  ['/shoal.control.v1.Batching/ListQueues', 'statistics'],
  ['/shoal.control.v1.Batching/GetRequest', 'control'],
  ['/shoal.control.v1.Models/Load', 'control'],
  ['/inference.GRPCInferenceService/SomethingNew', 'control'],
  ['/inference.GRPCInferenceService/constructor', 'control'],
  ['/a.b.C/D', 'control'],
  ['', 'control'],
])('%s is of the group %s', (path, group) => {
  expect(groupOf(path)).toBe(group);
});

test('what is answered without a key, and what is written down', () => {
  const names = (chosen: (path: string) => boolean) =>
    Object.entries(inference).flatMap(([name, { path }]) => (chosen(path) ? [name] : []));
  expect(names(isOpen)).toEqual(['ServerLive', 'ServerReady']);
  expect(isOpen('/grpc.health.v1.Health/Check')).toBe(true);
  expect(names(isControl).toSorted()).toEqual([
    'CudaSharedMemoryRegister',
    'CudaSharedMemoryUnregister',
    'LogSettings',
    'RepositoryModelLoad',
    'RepositoryModelUnload',
    'SystemSharedMemoryRegister',
    'SystemSharedMemoryUnregister',
    'TraceSetting',
  ]);
  const traffic = (method: string) => isControl(`/shoal.control.v1.TrafficControl/${method}`);
  expect(['SetTraffic', 'Promote', 'Getaway', 'GetTraffic', 'ListTraffic'].map(traffic)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(isControl('/a.b.C/GetD')).toBe(true);
});
