import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/* An OTLP receiver over HTTP that reads exports and forgets them: the cheapest that spans can be sent to. */

const server = createServer((request, response) => {
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  request.resume();
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`serving at 127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
