import { systemClock } from '@shoal/core';
import { type RpcServer, type StreamCall, createServer, loadService } from '@shoal/rpc';
import type { Door } from './cluster';
import { Ledger } from './ledger';
import { StockClient } from './stock-client';
import { eventually } from './waiting';

interface Request {
  readonly id: string;
  readonly raw_input_contents: readonly Buffer[];
}

interface Answer {
  readonly id: string;
  readonly outputs: readonly object[];
  readonly raw_output_contents: readonly Buffer[];
}

/** What a server of `simple` sends on a stream for one request. */
type Crooked = (right: Answer, number: number) => readonly Answer[];

let server: RpcServer | undefined;
let client: StockClient | undefined;

afterEach(async () => {
  client?.close();
  await server?.drain(1000);
});

/** A ledger of a server whose streams answer as `crooked` says, and whose calls answer as `called` does. */
async function ledgerOf(crooked: Crooked, called: (right: Answer) => Answer = (right) => right): Promise<Ledger> {
  server = createServer({ clock: systemClock });
  server.addService(loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService'), {
    ModelInfer: (request: Request) => called(answerTo(request)),
    ModelStreamInfer(call: StreamCall<Request, { readonly infer_response: Answer }>) {
      let number = 0;
      call.onMessage((request) => {
        for (const answer of crooked(answerTo(request), number)) call.write({ infer_response: answer });
        number += 1;
      });
      call.onEnd(() => call.end());
    },
  });
  client = new StockClient(`127.0.0.1:${await server.listen('127.0.0.1:0')}`);
  const ledger = new Ledger('simple', [{ client, member: { name: 'door' } } as Door], 1);
  await eventually('some streams and calls', () => ledger.answered > 50);
  await ledger.stop();
  return ledger;
}

function answerTo({ id, raw_input_contents: [first, second] }: Request): Answer {
  const calculated = (of: (a: number, b: number) => number) => {
    const bytes = Buffer.alloc(64);
    for (let at = 0; at < 64; at += 4) bytes.writeInt32LE(of(first!.readInt32LE(at), second!.readInt32LE(at)), at);
    return bytes;
  };
  return {
    id,
    outputs: ['OUTPUT0', 'OUTPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16] })),
    raw_output_contents: [calculated((a, b) => a + b), calculated((a, b) => a - b)],
  };
}

const changed = (right: Answer): Answer => ({ ...right, raw_output_contents: right.raw_output_contents.toReversed() });

test('of a server that answers everything once and rightly, nothing is told', async () => {
  const { faults, failed } = await ledgerOf((right) => [right]);
  expect([faults, failed]).toEqual([{ wrong: [], doubled: [], hung: [] }, []]);
});

test.each<[string, 'wrong' | 'doubled' | 'hung', Crooked]>([
  ['a doubled answer', 'doubled', (right, number) => (number === 3 ? [right, right] : [right])],
  ['a lost answer', 'hung', (right, number) => (number === 3 ? [] : [right])],
  ["another request's values", 'wrong', (right, number) => [number === 3 ? changed(right) : right]],
  ['an answer that nobody asked for', 'wrong', (right, n) => (n === 3 ? [right, { ...right, id: 'x' }] : [right])],
])('%s on a stream is told', async (_, fault, crooked) => {
  const ledger = await ledgerOf(crooked);
  expect(ledger[fault].length).toBeGreaterThan(0);
  expect({ ...ledger.faults, [fault]: [] }).toEqual({ wrong: [], doubled: [], hung: [] });
});

test.each<[string, (right: Answer) => Answer]>([
  ['with values of another request', changed],
  ['with the id of another request', (right) => ({ ...right, id: 'x' })],
])('an answer to a call %s is told', async (_, called) => {
  const ledger = await ledgerOf((right) => [right], called);
  expect(ledger.wrong.length).toBeGreaterThan(0);
});
