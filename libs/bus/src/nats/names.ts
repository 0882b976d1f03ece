import type { Random } from '@shoal/core';

/** Any text as one token of a NATS subject or KV key: what is not a letter, digit, `_` or `-` becomes `=HEX` of its UTF-8 bytes. */
export function encodeToken(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  let token = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    token += /[\w-]/.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return token === '' ? '=' : token;
}

/** The text that `encodeToken` made the token of; undefined for what it never makes. */
export function decodeToken(token: string): string | undefined {
  if (token === '=') return '';
  if (!/^(?:[\w-]|=[0-9A-F]{2})+$/.test(token)) return undefined;
  const bytes = token.replace(/=(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A name for one life of one bus: a process that starts again is somebody else. */
export function newOwner(name: string, random: Random): string {
  let suffix = '';
  for (let i = 0; i < 3; i++) suffix += Math.floor(random.next() * 2 ** 24).toString(36);
  return `${encodeToken(name)}-${suffix}`;
}
