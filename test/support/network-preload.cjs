'use strict';
// Loaded into a service before its own code (node --require): its TCP connections go by way of the tests' network
// (network.ts), which is told who calls and whom before the first byte.
const { Socket } = require('node:net');

const port = Number(process.env.SHOAL_TEST_NETWORK);
const name = process.env.SHOAL_TEST_NETWORK_NAME;
const connect = Reflect.get(Socket.prototype, 'connect');

/** Options and listener, in whichever of its forms connect() was called. */
function optionsOf([first, second, third]) {
  if (Array.isArray(first)) return first;
  if (typeof first === 'object') return [first, second];
  return typeof second === 'string' ? [{ port: first, host: second }, third] : [{ port: first }, second];
}

Socket.prototype.connect = function (...args) {
  const [options, connected] = optionsOf(args);
  if (options.port === undefined) return connect.apply(this, args);
  connect.call(this, { ...options, host: '127.0.0.1', port }, connected ?? undefined);
  this.write(`${name} ${options.host ?? 'localhost'} ${options.port}\n`);
  return this;
};
