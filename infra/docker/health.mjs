// Asks a server's grpc.health.v1 whether it serves: exit code 0 = SERVING, 1 = anything else. For container health
// checks; needs Node and nothing else, so that it starts in a few milliseconds.
//   node health.mjs HOST:PORT [TIMEOUT_MS]
import { connect } from 'node:http2';

const [address = '127.0.0.1:8001', timeoutMs = '2500'] = process.argv.slice(2);

/** A HealthCheckResponse whose status is SERVING, as a gRPC message: not compressed, two bytes, field 1 = 1. */
const serving = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);

function end(reason) {
  if (reason !== undefined) process.stderr.write(`health: ${address}: ${reason}\n`);
  process.exit(reason === undefined ? 0 : 1);
}

setTimeout(() => end('no answer in time'), Number(timeoutMs));
const session = connect(`http://${address}`);
session.on('error', (error) => end(error.message));
const call = session.request({
  ':method': 'POST',
  ':path': '/grpc.health.v1.Health/Check',
  'content-type': 'application/grpc',
  te: 'trailers',
});
const chunks = [];
let status;
const noteStatus = (headers) => (status = headers['grpc-status'] ?? status);
call.on('response', noteStatus);
call.on('trailers', noteStatus);
call.on('error', (error) => end(error.message));
call.on('data', (chunk) => chunks.push(chunk));
call.on('end', () => {
  // An empty body may end before its trailers came, so the verdict waits for the stream's close.
  call.on('close', () => {
    if (status !== '0') end(`gRPC status ${status}`);
    end(Buffer.concat(chunks).equals(serving) ? undefined : 'not serving');
  });
});
// An empty HealthCheckRequest: the server as a whole.
call.end(Buffer.alloc(5));
