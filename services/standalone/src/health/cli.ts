#!/usr/bin/env node
// `shoal health` without the rest of shoal, which takes ten times as long to load: for checks that run every few seconds.
import { health } from './command';

const complain = (line: string) => void process.stderr.write(`health: ${line}\n`);

void health(process.argv.slice(2), process.env, complain)
  .catch((thrown: unknown) => {
    complain(thrown instanceof Error ? thrown.message : String(thrown));
    return 2;
  })
  .then((code) => process.exit(code));
