/** Triton's groups of calls (`--grpc-restricted-protocol`). */
export const tritonGroups = [
  'health',
  'metadata',
  'inference',
  'shared-memory',
  'model-config',
  'model-repository',
  'statistics',
  'trace',
  'logging',
] as const;

/** What a tenant can be permitted: Triton's groups, `traffic` (which version gets which requests), and `control`: all else. */
export const groups = [...tritonGroups, 'traffic', 'control'] as const;

export type Group = (typeof groups)[number];

/** What a tenant may do that the file says nothing of: to use models, and to change nothing. */
export const defaultPermissions: readonly Group[] = ['health', 'metadata', 'inference', 'model-config', 'statistics'];

const inferenceService: Readonly<Record<string, Group>> = {
  ServerLive: 'health',
  ServerReady: 'health',
  ModelReady: 'health',
  ServerMetadata: 'metadata',
  ModelMetadata: 'metadata',
  ModelInfer: 'inference',
  ModelStreamInfer: 'inference',
  ModelConfig: 'model-config',
  ModelStatistics: 'statistics',
  RepositoryIndex: 'model-repository',
  RepositoryModelLoad: 'model-repository',
  RepositoryModelUnload: 'model-repository',
  TraceSetting: 'trace',
  LogSettings: 'logging',
};

/** The group of `/package.Service/Method`. What nobody has thought of is `control`, which no tenant has by default. */
export function groupOf(path: string): Group {
  const [, service = '', method = ''] = path.split('/');
  if (service === 'inference.GRPCInferenceService') {
    if (Object.hasOwn(inferenceService, method)) return inferenceService[method] ?? 'control';
    return /^(?:System|Cuda)SharedMemory/.test(method) ? 'shared-memory' : 'control';
  }
  if (service === 'grpc.health.v1.Health') return 'health';
  // Who may ask a model may have its answers explained; each prediction that this takes is looked at by itself.
  if (service === 'shoal.explain.v1.Explainability') return /^(?:Explain|List)/.test(method) ? 'inference' : 'control';
  if (/^grpc\.reflection\.v1(?:alpha)?\.ServerReflection$/.test(service)) return 'metadata';
  // Who may ask for statistics may see how queues stand; what became of requests, others' among them, is for those in control.
  if (/^shoal\.control\.v\d+\.Batching$/.test(service) && method === 'ListQueues') return 'statistics';
  return /^shoal\.control\.v\d+\.Traffic\w*$/.test(service) ? 'traffic' : 'control';
}

/** Whether a call is answered without a key: probes of load balancers and orchestrators have none. */
export function isOpen(path: string): boolean {
  return (
    path.startsWith('/grpc.health.v1.Health/') || /^\/inference\.GRPCInferenceService\/Server(?:Live|Ready)$/.test(path)
  );
}

const reads: ReadonlySet<Group> = new Set(['health', 'metadata', 'inference', 'model-config', 'statistics']);

/** Whether a call may change what the server does, and so leaves a line in the audit log. What nobody has thought of does. */
export function isControl(path: string): boolean {
  if (reads.has(groupOf(path))) return false;
  return !/^\/(?:inference\.GRPCInferenceService\/(?:RepositoryIndex|\w+Status)|shoal\.control\.v\d+\.\w+\/(?:Get|List|Watch)[A-Z]\w*)$/.test(
    path,
  );
}
