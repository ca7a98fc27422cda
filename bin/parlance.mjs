#!/usr/bin/env node
// Starts the command line: in this very process when its Node can run it, else in the one that the checkout keeps.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = 'src-main/app/cli.ts';
const entry = existsSync(join(root, source)) ? source : 'out/main/cli.js';

/** TypeScript runs as it is, without a flag, from 22.18 on. */
function isFit([major, minor]) {
  return major > 22 || (major === 22 && minor >= 18);
}

/** The Node that `npm start` fetches where the machine's own is too old. */
function keptNode() {
  const windows = process.platform === 'win32';
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const path = join(root, '.cache/node/node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  return existsSync(path) ? path : null;
}

/** In a fresh checkout: fetches the Node and the packages, as `npm start` does. Says on stderr what it is doing. */
function prepare() {
  const script = join(root, 'scripts/prepare.mjs');
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(1);
}

function runWith(node) {
  const child = spawn(node, [join(root, entry), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A program that started us sends its signal to us alone. A terminal sends Ctrl+C to both: twice is once here.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(message) {
  process.stderr.write(`error: ${message}; run \`npm start\` once, which sets up a Node that fits\n`);
  process.exit(1);
}

const fits = isFit(process.versions.node.split('.').map(Number));
if (entry === source && (!existsSync(join(root, 'node_modules')) || !(fits || keptNode()))) prepare();
if (fits) {
  await import(new URL(`../${entry}`, import.meta.url).href);
} else {
  const node = keptNode();
  if (node === null) fail(`this is Node ${process.versions.node}, and Parlance needs 22.18 or newer`);
  runWith(node);
}
