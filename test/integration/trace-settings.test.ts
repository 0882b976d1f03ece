import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp/receiver';
import { type Shoal, startShoal } from '../support/shoal';
import { simpleRequest } from '../support/tensors';
import { eventually } from '../support/waiting';

const door = 'inference.GRPCInferenceService/ModelInfer';

let receiver: OtlpReceiver;
let shoal: Shoal | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver({ protocol: 'http' });
});

afterEach(async () => {
  await shoal?.stop();
  await receiver.close();
}, 40_000);

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Shoal> {
  shoal = await startShoal({ models: { simple: {} }, args, env });
  return shoal;
}

async function infer(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await shoal!.client.infer(simpleRequest(n));
}

async function set(settings: Readonly<Record<string, string>>): Promise<void> {
  const values = Object.entries(settings).map(([key, value]) => [key, { value: [value] }]);
  await shoal!.client.call('TraceSetting', {
    settings: Object.fromEntries(values) as Record<string, { value: string[] }>,
  });
}

const doors = () => receiver.spans.filter(({ name }) => name === door).length;

test('Triton’s flag turns tracing on, TraceSetting changes it at once, and what waits at the end is sent', async () => {
  await start([
    ...['--trace-config', 'level=TIMESTAMPS', '--trace-config', 'rate=2', '--trace-config', 'mode=opentelemetry'],
    ...['--trace-config', `opentelemetry,url=${receiver.endpoint}/v1/traces`],
    ...['--trace-config', 'opentelemetry,bsp_schedule_delay=20', '--trace-config', 'opentelemetry,resource=a=b c'],
  ]);
  await infer(6);
  await eventually('three are traced', () => doors() === 3);
  expect(receiver.spans[0]!.resource).toMatchObject({ a: 'b c', 'service.instance.id': expect.any(String) as string });
  await set({ trace_rate: '1', trace_count: '2' });
  await infer(5);
  await set({ trace_level: 'OFF' });
  await infer(3);
  await set({ trace_level: 'TIMESTAMPS', trace_count: '-1' });
  await infer(1);
  await shoal!.stop();
  shoal = undefined;
  expect(doors()).toBe(6);
}, 60_000);

test('a receiver that is not there costs no request and one line', async () => {
  await receiver.close();
  await start([], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '1',
    OTEL_BSP_MAX_QUEUE_SIZE: '16',
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
  });
  await infer(50);
  const told = () => shoal!.output.split('spans cannot be exported').length - 1;
  await eventually('it is told', () => told() > 0);
  await infer(50);
  expect(told()).toBe(1);
}, 60_000);
