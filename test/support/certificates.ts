import { TestAuthority } from '@shoal/testing';
import { credentials } from '@grpc/grpc-js';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ClusterSecurity, ServiceName } from './cluster';

/** What is asked for at NATS, besides a certificate. */
const natsUser = { name: 'shoal', password: 'not a secret' };

/** A folder with all certificates of a cluster that trusts nobody else. */
export class ClusterCertificates implements ClusterSecurity {
  readonly natsArgs: readonly string[];
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'shoal-certificates-'));
  #authority = new TestAuthority();
  #clients = new TestAuthority();

  constructor() {
    this.write('ca', this.#authority.ca);
    this.write('clients-ca', this.#clients.ca);
    this.issue('link', ['shoal-link']);
    this.issue('server', ['localhost', '127.0.0.1']);
    this.issue('nats', ['localhost', '127.0.0.1']);
    const client = this.#clients.issue(['explainability']);
    this.write('asking', client.cert);
    this.write('asking-key', client.key);
    const tls = [
      '--tls',
      '--tlsverify',
      ...this.#pair('nats', '--tlscert', '--tlskey'),
      '--tlscacert',
      this.file('ca'),
    ];
    this.natsArgs = [...tls, '--user', natsUser.name, '--pass', natsUser.password];
  }

  natsUrl({ port }: { readonly port: number }): string {
    return `nats://${natsUser.name}:${encodeURIComponent(natsUser.password)}@127.0.0.1:${port}`;
  }

  args(service: ServiceName): readonly string[] {
    const nats = [...this.#pair('link', '--nats-cert', '--nats-key'), '--nats-ca', this.file('ca')];
    const links = [...this.#pair('link', '--link-cert', '--link-key'), '--link-ca', this.file('ca')];
    const port = [...this.#pair('server', '--grpc-server-cert', '--grpc-server-key'), '--grpc-use-ssl-mutual'];
    const door = [...port, '--grpc-root-cert', this.file('clients-ca')];
    const asking = [...this.#pair('asking', '--router-cert', '--router-key'), '--router-ca', this.file('ca')];
    const own = { router: door, explainability: asking, batching: [], 'model-worker': [] };
    return [...nats, ...links, ...own[service]];
  }

  /** What a client of the cluster brings. */
  get credentials() {
    const { cert, key } = this.#clients.issue(['a client']);
    return credentials.createSsl(this.#authority.ca, key, cert);
  }

  /** The same, of somebody else's authority, or with no certificate at all. */
  foreignCredentials(withCertificate: boolean) {
    const { cert, key } = new TestAuthority().issue(['a client']);
    return credentials.createSsl(this.#authority.ca, ...(withCertificate ? ([key, cert] as const) : []));
  }

  /** PEM of what vouches for servers. */
  get ca(): Buffer {
    return this.#authority.ca;
  }

  file(name: string): string {
    return path.join(this.#folder, `${name}.pem`);
  }

  /** First step to another authority: both are trusted. */
  trustAnother(): void {
    const old = this.#authority.ca;
    this.#authority = new TestAuthority();
    this.write('ca', Buffer.concat([old, this.#authority.ca]));
  }

  /** Second step: certificates of the new one, and the old one is trusted no more. */
  leaveTheOld(): void {
    this.issue('link', ['shoal-link']);
    this.issue('server', ['localhost', '127.0.0.1']);
    this.write('ca', this.#authority.ca);
  }

  issue(name: string, names: readonly string[]): void {
    const { cert, key } = this.#authority.issue(names);
    this.write(name, cert);
    this.write(`${name}-key`, key);
  }

  delete(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** As careful programs do: never half a file under its name. */
  private write(name: string, text: Buffer): void {
    const file = this.file(name);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }

  #pair(name: string, certFlag: string, keyFlag: string): readonly string[] {
    return [certFlag, this.file(name), keyFlag, this.file(`${name}-key`)];
  }
}
