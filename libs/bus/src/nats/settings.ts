import type { Clock, Random } from '@shoal/core';
import type { BusTracing } from './call-spans';

/** Where the bus tells of its connection; `Logger` of @shoal/telemetry is one. */
export interface BusLog {
  info(message: string, fields?: Readonly<Record<string, string | number | boolean | undefined>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number | boolean | undefined>>): void;
}

/** PEM files for the connection; read anew for each connection, so that a renewed certificate is used. */
export interface NatsTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface NatsBusOptions {
  /** `nats://[USER:PASSWORD@|TOKEN@]HOST:PORT`, several of one cluster separated by commas; `tls://` asks for TLS. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: BusLog;
  /** Of this process, for people who look at the server's connections. */
  readonly name: string;
  readonly tls?: NatsTls;
  /** User JWT and seed of an account, as nsc writes them; read anew for each connection. */
  readonly credsFile?: string;
  /** Begins all subjects and the bucket's name, so that clusters may share a server: letters, digits, `-`, `_`. Default `shoal`. */
  readonly prefix?: string;
  /** Copies of announcements, state and files in a NATS cluster: 1, 3 or 5. Default 1: announcements and state are written again when they are lost. */
  readonly replicas?: number;
  /** Records the calls that are made for something that is recorded. Default: none are. */
  readonly tracing?: BusTracing | undefined;
  /** Told of what a watch's listener threw. Default: a process warning. */
  readonly onError?: (thrown: unknown) => void;
}

/** What all parts of one NATS bus share. */
export interface Settings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: BusLog;
  readonly prefix: string;
  /** This bus among all others, in this life. */
  readonly owner: string;
}

/** Something to be told at most once in ten seconds. */
export function limited(clock: Clock, tell: (text: string, left: number) => void): (text: string) => void {
  let next = -Infinity;
  let left = 0;
  return (text) => {
    if (clock.now() < next) {
      left++;
      return;
    }
    next = clock.now() + 10_000;
    tell(text, left);
    left = 0;
  };
}

/** What went wrong, in a line. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
