import { PreparedHeaders, type Stream, type StreamHandler } from '@shoal/http2';

const text = ['content-type', 'text/plain; charset=utf-8'] as const;
const answers = {
  405: {
    head: new PreparedHeaders([':status', '405', 'allow', 'POST', ...text]),
    body: Buffer.from('This is a gRPC server: it answers POST requests of gRPC clients.\n'),
  },
  415: {
    head: new PreparedHeaders([':status', '415', ...text]),
    body: Buffer.from('This is a gRPC server: the content type of requests is application/grpc.\n'),
  },
};
/** A request that is no gRPC is read to its end, but not if it is longer than this. */
const maxIgnoredBytes = 65_536;

/** Somebody who is no gRPC client: a browser, a probe. */
class HttpAnswer implements StreamHandler {
  readonly #status: keyof typeof answers;
  readonly #withBody: boolean;
  #ignored = 0;

  constructor(status: keyof typeof answers, withBody: boolean) {
    this.#status = status;
    this.#withBody = withBody;
  }

  onData(stream: Stream, _bytes: Buffer, start: number, end: number): void {
    stream.consumed(end - start);
    this.#ignored += end - start;
    if (this.#ignored > maxIgnoredBytes) this.onEnd(stream);
  }

  onEnd(stream: Stream): void {
    const { head, body } = answers[this.#status];
    if (stream.hasSentHeaders) return;
    stream.sendHeaders(head, null, !this.#withBody);
    if (this.#withBody) stream.write(body, true);
  }

  onAborted(): void {
    // Nobody waits for the answer.
  }
}

/** Answers in HTTP's terms when the request has come to its end. */
export function httpAnswer(status: number, method: string | undefined): StreamHandler {
  return new HttpAnswer(status === 405 ? 405 : 415, method !== 'HEAD');
}
