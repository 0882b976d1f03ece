import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { frame } from './frame';

const prefaceLength = 24;

/** What a server does with one connection. */
export type Script = (socket: Socket) => void;

/** A TCP server of which each connection gets the next script; the last one is for all further connections. */
export class ScriptedServer {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(scripts: Script[]) {
    this.#server = createServer((socket) => {
      socket.on('error', () => undefined);
      const script = scripts[Math.min(this.sockets.length, scripts.length - 1)];
      this.sockets.push(socket);
      script?.(socket);
    });
  }

  static async start(...scripts: Script[]): Promise<ScriptedServer> {
    const made = new ScriptedServer(scripts);
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get target(): string {
    return `127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Passes everything on, both ways. */
export function relayTo(port: number): Script {
  return (socket) => {
    const onward = connect({ port, host: '127.0.0.1', noDelay: true });
    onward.on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
  };
}

/** Greets, and sends these frames for each request, which goes on. */
export function answerWith(...frames: Buffer[]): Script {
  return (socket) => {
    socket.write(frame(4, 0, 0));
    onFrames(socket, (type) => {
      if (type === 1) socket.write(Buffer.concat(frames));
    });
  };
}

/** Tells of each HTTP/2 frame that a client sends. */
export function onFrames(socket: Socket, told: (type: number, stream: number) => void): void {
  let held = Buffer.alloc(0);
  let preface = true;
  socket.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    if (preface && held.length < prefaceLength) return;
    if (preface) held = held.subarray(prefaceLength);
    preface = false;
    while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
      const end = 9 + held.readUIntBE(0, 3);
      told(held[3] as number, held.readUInt32BE(5));
      held = held.subarray(end);
    }
  });
}
