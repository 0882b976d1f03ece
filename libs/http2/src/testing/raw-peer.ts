import { type Socket, connect } from 'node:net';
import { until } from '@shoal/testing';
import { errorCodeName } from '../errors';
import { clientPreface, flags, frameTypes } from '../frames/constants';
import { FrameReader } from '../frames/frame-reader';
import { frame, settings } from './frames';

export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A client that sends whatever bytes it is told to, and notes what it gets. */
export class RawPeer {
  readonly seen: SeenFrame[] = [];
  closed = false;
  readonly socket: Socket;
  #data: Buffer[] = [];
  #head = { flags: 0, streamId: 0 };

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader(
      {
        frame: (type, frameFlags, streamId, bytes, start, end) =>
          this.#note({ type, flags: frameFlags, streamId, payload: Buffer.from(bytes.subarray(start, end)) }),
        dataStart: (frameFlags, streamId) => {
          this.#head = { flags: frameFlags, streamId };
          this.#data = [];
        },
        dataChunk: (bytes, start, end) => void this.#data.push(Buffer.from(bytes.subarray(start, end))),
        dataEnd: () => this.#note({ type: frameTypes.DATA, ...this.#head, payload: Buffer.concat(this.#data) }),
      },
      1 << 24,
      false,
    );
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
  }

  /** Connects and says what a client must say first. */
  static async open(port: number, ...own: [number, number][]): Promise<RawPeer> {
    const peer = await RawPeer.connect(port);
    peer.send(clientPreface, settings(...own), frame(frameTypes.SETTINGS, flags.ACK, 0));
    await peer.until((seen) => seen.type === frameTypes.SETTINGS && seen.flags === flags.ACK);
    return peer;
  }

  /** Connects and says nothing. */
  static async connect(port: number): Promise<RawPeer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawPeer(socket);
  }

  send(...bytes: Buffer[]): void {
    if (!this.closed) this.socket.write(Buffer.concat(bytes));
  }

  /** Sends again and again, as fast as the other side takes it, until it ends the connection or the count is reached. */
  async flood(count: number, bytes: (i: number) => Buffer): Promise<void> {
    for (let i = 0; i < count && !this.closed && this.goAway === undefined;) {
      const batch: Buffer[] = [];
      for (let size = 0; size < 65_536 && i < count; i++) {
        const next = bytes(i);
        size += next.length;
        batch.push(next);
      }
      const taken = this.socket.write(Buffer.concat(batch));
      if (!taken) await until(() => this.closed || this.socket.writableLength < 65_536);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async until(holds: (seen: SeenFrame) => boolean): Promise<SeenFrame> {
    await until(() => this.closed || this.seen.some(holds), `frames seen: ${JSON.stringify(this.seen.slice(-5))}`);
    const found = this.seen.find(holds);
    if (found === undefined) throw new Error('closed before the frame came');
    return found;
  }

  /** The error the other side ended the connection with. */
  get goAway(): string | undefined {
    const found = this.seen.find(({ type, payload }) => type === frameTypes.GOAWAY && payload.readUInt32BE(4) !== 0);
    return found && errorCodeName(found.payload.readUInt32BE(4));
  }

  destroy(): void {
    this.socket.destroy();
  }

  #note(seen: SeenFrame): void {
    if (this.seen.length < 100_000) this.seen.push(seen);
  }
}
