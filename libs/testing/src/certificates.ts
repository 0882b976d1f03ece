import { type KeyObject, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key. PEM. */
export interface TestCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface CertificateOptions {
  /** Generalized times. Default: all of this century. */
  readonly notBefore?: string;
  readonly notAfter?: string;
}

interface Subject extends CertificateOptions {
  readonly commonName: string;
  /** DNS names and IPv4 addresses. */
  readonly names?: readonly string[];
  readonly isAuthority?: boolean;
}

const century = { notBefore: '20000101000000Z', notAfter: '20991231235959Z' };

/** A fresh self-signed certificate for `localhost` (X.509 v3, P-256), for tests of TLS. */
export function selfSigned(): TestCertificate {
  const keys = newKeys();
  const subject = { commonName: 'localhost', names: ['localhost'] };
  return issue(subject, keys, 'localhost', keys.privateKey);
}

/** A certificate authority, for tests of TLS. */
export class TestAuthority {
  /** What its peers trust. PEM. */
  readonly ca: Buffer;
  readonly #name = `authority ${randomBytes(4).toString('hex')}`;
  readonly #key: KeyObject;

  constructor() {
    const keys = newKeys();
    this.#key = keys.privateKey;
    this.ca = issue({ commonName: this.#name, isAuthority: true }, keys, this.#name, keys.privateKey).cert;
  }

  /** A certificate for DNS names and IPv4 addresses, for servers and clients alike. */
  issue(names: readonly string[], options: CertificateOptions = {}): TestCertificate {
    return issue({ commonName: names[0] ?? '', names, ...options }, newKeys(), this.#name, this.#key);
  }
}

function newKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** RFC 5280 §4.1. */
function issue(
  subject: Subject,
  { publicKey, privateKey }: ReturnType<typeof newKeys>,
  issuer: string,
  issuerKey: KeyObject,
): TestCertificate {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const { notBefore = century.notBefore, notAfter = century.notAfter, names = [], isAuthority = false } = subject;
  const extensions = [
    ...(names.length > 0 ? [sequence(oid('551d11'), octets(sequence(...names.map(generalName))))] : []),
    ...(isAuthority ? [sequence(oid('551d13'), octets(sequence(der(0x01, Buffer.from([0xff])))))] : []),
  ];
  const certificate = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject.commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', certificate, issuerKey);
  const signed = sequence(certificate, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const base64 = (signed.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return {
    cert: Buffer.from(`-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`),
    key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

function generalName(name: string): Buffer {
  return isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function time(generalized: string): Buffer {
  return der(0x18, Buffer.from(generalized));
}
