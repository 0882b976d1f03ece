// Loaded into a server that is measured (node --expose-gc --require): on SIGUSR2 it collects garbage and writes what is left to
// the file in BENCH_HEAP_FILE.
const { writeFileSync } = require('node:fs');

const file = process.env.BENCH_HEAP_FILE;
if (process.send === undefined && file !== undefined) {
  process.on('SIGUSR2', () => {
    globalThis.gc();
    globalThis.gc();
    writeFileSync(file, JSON.stringify(process.memoryUsage()));
  });
}
