'use strict';
// npm run soak -- --minutes 10 --seed 7 --out FILE.json      npm run faults -- --only PATTERN --out FILE.json      npm run traces -- --out FILE.png
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string' },
  },
});
const jest = path.join(path.dirname(require.resolve('jest/package.json')), 'bin/jest.js');
const args = [jest, '--config', path.join(__dirname, 'jest.config.js'), '--runInBand', `${positionals[0]}.long`];
if (values.only) args.push('--testNamePattern', values.only);
const env = { ...process.env, SHOAL_SOAK_MINUTES: values.minutes };
if (values.seed) env.SHOAL_SEED = values.seed;
if (values.out) env.SHOAL_REPORT = path.resolve(values.out);
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1);
