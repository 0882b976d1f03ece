import { type ChannelCredentials, type ChannelOptions, Client, compressionAlgorithms } from '@grpc/grpc-js';
import type { CallOptions, RpcClientOptions } from '../client';
import { isRenewable } from '../tls/renewable';
import { unixPath } from '../unix-socket';
import { clientCredentials } from './tls';

/**
 * A client's receive window. Small on purpose: Node stops reading an HTTP/2 connection while a write of its own waits
 * for the socket. When both ends are Node, both windows are larger than the socket's buffers, and tensors flow both
 * ways, both writes wait for ever (seen on unix sockets, whose buffers hold 208 KiB, with the second message). With one
 * direction always fitting the buffers the other one always moves. The server's window is the large one.
 */
const clientWindowBytes = 128 * 1024;

type Compression = CallOptions['compression'];

/**
 * The connections of one client, taken in turn. grpc-js compresses by connection, not by call: calls that ask for it have
 * connections of their own, which are made with the first of them.
 */
export class Channels {
  readonly #target: string;
  readonly #options: RpcClientOptions;
  readonly #credentials: ChannelCredentials;
  readonly #clients = new Map<Compression, Client[]>();
  #calls = 0;

  constructor(target: string, options: RpcClientOptions) {
    this.#target = target;
    this.#options = options;
    this.#credentials = clientCredentials(options.tls);
  }

  /** The connection for the next call. */
  next(compression?: Compression): Client {
    const clients = this.#clients.get(compression) ?? [];
    this.#clients.set(compression, clients);
    const index = this.#calls++ % (this.#options.connections ?? 1);
    return (clients[index] ??= new Client(this.#target, this.#credentials, this.#channelOptions(compression)));
  }

  close(): void {
    for (const clients of this.#clients.values()) for (const client of clients) client?.close();
  }

  #channelOptions(compression: Compression): ChannelOptions {
    const { keepaliveMs, maxMessageBytes, tls } = this.#options;
    return {
      'grpc.max_receive_message_length': maxMessageBytes ?? -1,
      'grpc.max_send_message_length': -1,
      'grpc-node.flow_control_window': clientWindowBytes,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      ...(keepaliveMs !== undefined && {
        'grpc.keepalive_time_ms': keepaliveMs,
        'grpc.keepalive_timeout_ms': keepaliveMs,
      }),
      ...(compression && { 'grpc.default_compression_algorithm': compressionAlgorithms[compression] }),
      ...serverName(this.#target, tls),
    };
  }
}

function serverName(target: string, tls: RpcClientOptions['tls']): ChannelOptions {
  const given = tls && isRenewable(tls) ? tls.current : tls;
  const name = given && (given.serverName ?? (unixPath(target) === undefined ? undefined : 'localhost'));
  return name === undefined ? {} : { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name };
}
