import path from 'node:path';

/** The project's root folder. */
export const root = path.resolve(__dirname, '..', '..');

export const fixtures = path.join(root, 'test', 'fixtures');

export const protoFolder = path.join(root, 'proto');

/** The program that users start. */
export const cli = path.join(root, 'services', 'standalone', 'dist', 'cli.js');
