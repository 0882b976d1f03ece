import { type Bus, type ModelKey, type RunnerAnnouncement, runnersPrefix } from '@shoal/bus';
import { type Data, type Link, type LinkListener, type LinkTransport, type Withdraw, wholeBytes } from '@shoal/link';
import { assembleInferResponse } from '@shoal/protocol';

/** A runner whose answers a test scripts. */
export class ScriptedRunner {
  readonly id: string;
  readonly received: Data[] = [];
  readonly withdrawn: Withdraw[] = [];
  /** What to do with a member's bytes; by default they are answered at once. */
  onData: (data: Data, link: Link) => void = (data, link) => this.answer(data, link);
  readonly #bus: Bus;
  readonly #links = new Set<Link>();
  #listener: LinkListener | undefined;

  constructor(bus: Bus, id: string) {
    this.#bus = bus;
    this.id = id;
  }

  async start(transport: LinkTransport, key: ModelKey): Promise<void> {
    const hello = { kind: 'hello', role: 'runner', id: this.id } as const;
    this.#listener = await transport.listen(`inproc:${this.id}`, hello, (link) => {
      this.#links.add(link);
      link.onClose(() => this.#links.delete(link));
      link.onMessage((message) => {
        if (message.kind === 'withdraw') this.withdrawn.push(message);
        if (message.kind !== 'data') return;
        this.received.push(message);
        this.onData(message, link);
      });
    });
    const announcement: RunnerAnnouncement = { ...key, id: this.id, address: `inproc:${this.id}`, device: 'CPU' };
    this.#bus.announce(`${runnersPrefix}${this.id}`, announcement);
  }

  /** Answers with the sum and the difference of the first two inputs, or with the first input as it is. */
  answer(data: Data, link: Link, computeUs = 0): void {
    link.send({ kind: 'answer', offerId: data.offerId, response: respond(data), computeUs });
  }

  /** The process is gone: links break, the announcement is withdrawn. */
  async kill(): Promise<void> {
    await this.#listener?.close();
    this.#bus.withdraw(`${runnersPrefix}${this.id}`);
  }
}

function respond(data: Data): Buffer {
  const [a, b] = data.inputs;
  const shape = a?.shape ?? [];
  const first = ints(a && wholeBytes(a.bytes));
  const second = ints(b && wholeBytes(b.bytes));
  const tensors = b ? [first.map((x, i) => x + (second[i] ?? 0)), first.map((x, i) => x - (second[i] ?? 0))] : [first];
  const all = tensors.map((values, i) => ({
    name: `OUTPUT${i}`,
    datatype: 'INT32',
    shape,
    contents: new Uint8Array(values.buffer),
  }));
  const wanted = data.outputs.length === 0 ? all : data.outputs.flatMap(({ index }) => all[index] ?? []);
  return assembleInferResponse({ model: 'simple', version: '1', id: data.requestId, outputs: wanted });
}

function ints(bytes: Uint8Array = new Uint8Array(0)): Int32Array {
  return new Int32Array(Uint8Array.from(bytes).buffer);
}
