import { type StatisticsCall, type VersionStatistics, instanceSubject, statisticsSubject } from '@shoal/bus';
import type { Offer } from '@shoal/link';
import { loadService } from '@shoal/rpc';
import { type GoldenCase, goldenCases } from './testing/golden';
import { fullConfig, goldenModels } from './testing/model-configs';
import { type RouterRig, startRig } from './testing/router-rig';
import { ScriptedWorker } from './testing/scripted-worker';

const { infer, health } = {
  infer: loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService'),
  health: loadService('grpc/health/v1/health.proto', 'grpc.health.v1.Health'),
};

let rig: RouterRig;

beforeAll(async () => {
  rig = await startRig({ config: { allowClientShm: true } });
});

afterAll(async () => {
  await rig.close();
});

function decode(rpc: string, base64: string): unknown {
  return (infer[rpc] ?? health[rpc])?.responseDeserialize(Buffer.from(base64, 'base64'));
}

/** How a call ends here. */
async function replay(golden: GoldenCase): Promise<object> {
  const { status, details, response } = await rig.client.call(golden.rpc, Buffer.from(golden.request ?? '', 'base64'));
  return { status, details, response };
}

/** How it ended at Triton. */
function recorded({ rpc, status, details, response }: GoldenCase): object {
  return { status, details, response: status === 'OK' ? decode(rpc, response ?? '') : undefined };
}

function cases(file: string, left: readonly string[]): [name: string, golden: GoldenCase][] {
  const all = goldenCases(file).map((golden): [string, GoldenCase] => [golden.name, golden]);
  for (const name of left) expect(all.map(([known]) => known)).toContain(name);
  return all.filter(([name]) => !left.includes(name));
}

describe('refusals of ModelInfer', () => {
  // Sequences come later; input names in hash order are not fixed; a router has no other text for its own failures.
  const left = ['err_sequence_no_start', 'err_sequence_no_id', 'err_sequence_batch', 'err_extra_input'];

  test.each(cases('infer-errors', left))('%s', async (name, golden) => {
    const unloaded = name.startsWith('err_unloaded');
    if (unloaded) unload('lc_one');
    rig.batching.onOffer = (offer: Offer) => {
      if (name === 'err_execution') rig.batching.reject(offer, 'INTERNAL', golden.details, 'model');
      else if (name === 'err_queue_full')
        rig.batching.reject(offer, 'UNAVAILABLE', 'Exceeds maximum queue size', 'queue');
      else if (name === 'err_queue_timeout') {
        rig.batching.reject(offer, 'UNAVAILABLE', 'Request timeout expired', 'queue');
      } else rig.batching.send(offer);
    };
    try {
      expect(await replay(golden)).toEqual(recorded(golden));
    } finally {
      if (unloaded) reload('lc_one');
    }
  });
});

describe('metadata and config', () => {
  const left = [
    'server_metadata', // its version is another; see below
    // Models that need ensembles or sequences.
    'model_metadata_ensemble_simple',
    'model_metadata_simple_dyna_sequence',
    'model_config_batcher_pref',
    'model_config_batcher_delay',
    'model_config_queue_timeout',
    'model_config_queue_prio',
    'model_config_cached',
    'model_config_ensemble_simple',
    'model_config_simple_dyna_sequence',
    'model_config_simple',
    'model_config_repeat_int32',
  ];

  test.each(cases('metadata-config', left))('%s', async (name, golden) => {
    const unloaded = name.endsWith('_unloaded');
    if (unloaded) unload('lc_one');
    try {
      expect(await replay(golden)).toEqual(recorded(golden));
    } finally {
      if (unloaded) reload('lc_one');
    }
  });

  test('server_metadata', async () => {
    const golden = goldenCases('metadata-config').find(({ name }) => name === 'server_metadata');
    const want = decode('ServerMetadata', golden?.response ?? '') as object;
    const { response } = await rig.client.call('ServerMetadata', {});
    expect(response).toEqual({ ...want, version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as unknown });
  });

  const configs = goldenCases('metadata-config').filter(({ name }) => name.startsWith('model_config_'));
  test.each(configs.map((golden): [string, GoldenCase] => [golden.name, golden]))(
    '%s is passed on as it was announced',
    async (_name, golden) => {
      const { config } = decode('ModelConfig', golden.response ?? '') as { config: { name: string } };
      rig.announce(fullConfig({ ...config, name: `copy_${config.name}` }), 1);
      const { response } = await rig.client.call('ModelConfig', { name: `copy_${config.name}` });
      expect(response).toEqual({ config: { ...config, name: `copy_${config.name}` } });
      rig.bus.withdraw(`versions/copy_${config.name}/1`);
      rig.bus.withdraw(`models/copy_${config.name}`);
    },
  );
});

describe('repository, statistics, settings', () => {
  // Other models are served here (see repository-index.test.ts), traces go nowhere by default, and registering CUDA
  // memory is refused with a reason of our own.
  const left = [
    'index',
    'index_ready',
    'index_after_unload',
    'trace_setting',
    'trace_setting_model',
    'cuda_shm_register',
    'err_no_such_method', // the carrier has a text where Triton has none
    'err_load_backend', // the model-worker's text, as all the texts of loading
  ];
  let worker: ScriptedWorker;
  let stop: () => void;

  beforeAll(() => {
    worker = new ScriptedWorker(rig.bus, 'worker-1', ({ model, config, files }) => {
      const bad = model === 'nope' || config === '{' || config?.includes('no_such_field');
      if (!bad && !(files.length > 0 && config === undefined)) return undefined;
      return { code: 'INTERNAL', message: `failed to load '${model}', failed to poll from model repository` };
    });
    stop = rig.bus.serve<StatisticsCall, VersionStatistics[]>(instanceSubject(statisticsSubject, 'batching-1'), () =>
      Promise.resolve([statistics]),
    );
  });

  afterAll(() => {
    stop();
    worker.close();
  });

  let statistics: VersionStatistics = emptyStatistics();

  test.each(cases('repository-statistics-settings', left))('%s', async (name, golden) => {
    const unloaded = name === 'err_statistics_unloaded';
    if (unloaded) unload('lc_one');
    if (name === 'statistics_fresh') statistics = emptyStatistics();
    if (name === 'statistics_two_of_batch_3') statistics = fromGolden(golden);
    try {
      expect(await replay(golden)).toEqual(recorded(golden));
    } finally {
      if (unloaded) reload('lc_one');
    }
  });

  test('load parameters reach the model-worker', async () => {
    const parameters = { config: { string_param: '{}' }, 'file:1/model.onnx': { bytes_param: Buffer.from('onnx') } };
    await rig.client.call('RepositoryModelLoad', { model_name: 'm', parameters });
    expect(worker.asked.at(-1)).toEqual({ model: 'm', wanted: true, config: '{}', files: [['1/model.onnx', 'onnx']] });
  });

  function fromGolden(golden: GoldenCase): VersionStatistics {
    const { model_stats: all } = decode('ModelStatistics', golden.response ?? '') as {
      model_stats: Record<string, never>[];
    };
    const [one] = all as unknown as [
      Record<string, number> & Record<string, Record<string, VersionStatistics['fail']>>,
    ];
    const stats = one['inference_stats'] as unknown as Record<string, VersionStatistics['fail']>;
    const [batch] = one['batch_stats'] as unknown as [
      Record<string, VersionStatistics['fail']> & { batch_size: number },
    ];
    const none = { count: 0, ns: 0 };
    return {
      model: 'lc_one',
      version: 2,
      lastInferenceMs: one['last_inference'] as number,
      inferenceCount: one['inference_count'] as number,
      executionCount: one['execution_count'] as number,
      success: stats['success'] ?? none,
      fail: stats['fail'] ?? none,
      queue: stats['queue'] ?? none,
      computeInput: stats['compute_input'] ?? none,
      computeInfer: stats['compute_infer'] ?? none,
      computeOutput: stats['compute_output'] ?? none,
      batches: [
        {
          batchSize: batch.batch_size,
          computeInput: batch['compute_input'] ?? none,
          computeInfer: batch['compute_infer'] ?? none,
          computeOutput: batch['compute_output'] ?? none,
        },
      ],
    };
  }
});

describe('streams', () => {
  const left = ['stream_decoupled', 'stream_decoupled_empty_final'];

  test.each(cases('streams', left))('%s', async (name, golden) => {
    rig.batching.onOffer = (offer: Offer) => {
      if (!name.startsWith('stream_execution_error')) rig.batching.send(offer);
      else rig.batching.reject(offer, 'INTERNAL', executionError, 'model');
    };
    const requests = (golden.requests ?? []).map((request) => Buffer.from(request, 'base64'));
    const outcome = await rig.client.stream(requests, golden.metadata);
    expect(outcome).toEqual({
      status: golden.status,
      details: golden.details,
      responses: (golden.responses ?? []).map((response) => decode('ModelStreamInfer', response)),
    });
  });

  const executionError = goldenCases('infer-errors').find(({ name }) => name === 'err_execution')?.details ?? '';
});

function unload(model: string): void {
  change(model, { state: 'UNAVAILABLE', reason: 'unloaded' });
}

function reload(model: string): void {
  change(model, {});
}

function change(model: string, changes: Parameters<RouterRig['announce']>[2]): void {
  const served = goldenModels.find(({ config }) => config.name === model);
  for (const version of served?.versions ?? []) if (served) rig.announce(served.config, version, changes);
}

function emptyStatistics(): VersionStatistics {
  const none = { count: 0, ns: 0 };
  return {
    model: 'lc_one',
    version: 2,
    lastInferenceMs: 0,
    inferenceCount: 0,
    executionCount: 0,
    success: none,
    fail: none,
    queue: none,
    computeInput: none,
    computeInfer: none,
    computeOutput: none,
    batches: [],
  };
}
