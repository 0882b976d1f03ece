import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { InferenceSession } from 'onnxruntime-node';
import { parseModelConfig } from './parse-config';
import { sessionOptionsFrom, type SessionPlan } from './session-options';

const cpu = { kind: 'KIND_CPU', device: 0 } as const;
const gpu = { kind: 'KIND_GPU', device: 3 } as const;
const parameter = (key: string, value: string): string =>
  `parameters { key: "${key}" value { string_value: "${value}" } }`;
const plan = (text: string, instance: typeof cpu | typeof gpu = cpu): SessionPlan =>
  sessionOptionsFrom(parseModelConfig(`name: "m" ${text}`, 'm'), instance);

const everything = [
  parameter('intra_op_thread_count', '1'),
  parameter('inter_op_thread_count', ' 2 '),
  parameter('execution_mode', '1'),
  parameter('enable_mem_arena', '0'),
  parameter('enable_mem_pattern', 'False'),
  parameter('session.intra_op.allow_spinning', '0'),
  parameter('session.use_device_allocator_for_initializers', '1'),
  parameter('memory.enable_memory_arena_shrinkage', 'cpu:0'),
  parameter('anything else', 'is the author’s own'),
  'optimization { graph { level: 1 } }',
].join(' ');

describe('sessionOptionsFrom', () => {
  test('nothing given', () => {
    expect(plan('')).toEqual({
      options: { graphOptimizationLevel: 'all', executionMode: 'sequential' },
      providers: [{ name: 'cpu' }],
      warnings: [],
    });
  });

  test('everything given', () => {
    expect(plan(everything)).toEqual({
      options: {
        graphOptimizationLevel: 'extended',
        executionMode: 'parallel',
        intraOpNumThreads: 1,
        interOpNumThreads: 2,
        enableCpuMemArena: false,
        enableMemPattern: false,
        extra: { session: { 'intra_op.allow_spinning': '0', use_device_allocator_for_initializers: '1' } },
      },
      providers: [{ name: 'cpu' }],
      runExtra: { memory: { enable_memory_arena_shrinkage: 'cpu:0' } },
      warnings: [],
    });
  });

  test('ONNX Runtime accepts them', async () => {
    const model = join(__dirname, '../../../test/fixtures/models/simple/1/model.onnx');
    const { options, providers } = plan(everything);
    const session = await InferenceSession.create(model, { ...options, executionProviders: [...providers] });
    expect(session.inputNames).toEqual(['INPUT0', 'INPUT1']);
    await session.release();
  });

  test.each([
    [-1, 'basic'],
    [0, 'all'],
    [1, 'extended'],
    [2, 'disabled'],
    [3, 'all'],
  ])('graph level %d is %s', (level, name) => {
    expect(plan(`optimization { graph { level: ${level} } }`).options.graphOptimizationLevel).toBe(name);
  });

  test('0 threads leave the number to ONNX Runtime', () => {
    expect(plan(parameter('intra_op_thread_count', '0')).options).not.toHaveProperty('intraOpNumThreads');
  });

  test.each([
    [parameter('intra_op_thread_count', 'many'), "failed to convert intra_op_thread_count 'many' to integral number"],
    [parameter('inter_op_thread_count', '1000000'), 'inter_op_thread_count must be at most 1024, got 1000000'],
    [
      parameter('execution_mode', '2'),
      'Invalid configuration value provided. Expected values for execution_mode are 0 or 1 but got 2.',
    ],
    [parameter('enable_mem_arena', 'maybe'), "failed to convert enable_mem_arena 'maybe' to boolean value"],
  ])('%s is refused', (text, message) => {
    expect(() => plan(text)).toThrow(new ShoalError('INVALID_ARGUMENT', message));
  });

  test('session entries that name files are left out', () => {
    const { options, warnings } = plan(parameter('session.model_external_initializers_file_folder_path', '/etc'));
    expect(options).not.toHaveProperty('extra');
    expect(warnings).toEqual([expect.stringContaining('it names a file or folder')]);
  });

  test('providers of a GPU instance, as its config orders them', () => {
    const accelerate = (...names: string[]): string =>
      `optimization { execution_accelerators { ${names.map((name) => `gpu_execution_accelerator { name: "${name}" }`).join(' ')} } }`;
    const fallbacks = [{ name: 'webgpu' }, { name: 'cpu' }];
    const [cuda, tensorrt] = [
      { name: 'cuda', deviceId: 3 },
      { name: 'tensorrt', deviceId: 3 },
    ];
    expect(plan('', gpu).providers).toEqual([cuda, ...fallbacks]);
    expect(plan(accelerate('tensorrt'), gpu).providers).toEqual([tensorrt, cuda, ...fallbacks]);
    expect(plan(accelerate('cuda', 'tensorrt'), gpu).providers).toEqual([cuda, tensorrt, ...fallbacks]);
    expect(plan(accelerate('tensorrt')).providers).toEqual([{ name: 'cpu' }]);
    expect(plan(accelerate('warp'), gpu)).toMatchObject({
      providers: [cuda, ...fallbacks],
      warnings: [expect.stringContaining("'warp'")],
    });
  });

  test('what cannot be done is told', () => {
    const { warnings } = plan(
      `${parameter('cudnn_conv_algo_search', '1')}
       optimization { execution_accelerators {
         gpu_execution_accelerator { name: "tensorrt" parameters { key: "precision_mode" value: "FP16" } }
         cpu_execution_accelerator { name: "openvino" } } }`,
      gpu,
    );
    expect(warnings).toEqual([
      "parameter 'cudnn_conv_algo_search' of model 'm' is ignored: ONNX Runtime for Node.js does not take it",
      "execution accelerator 'openvino' of model 'm' is not supported on the CPU and is ignored",
      "parameters of execution accelerator 'tensorrt' of model 'm' are ignored: ONNX Runtime for Node.js does not take them",
    ]);
  });
});
