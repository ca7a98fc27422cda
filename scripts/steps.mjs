// What `npm start`, `npm test` and `npm run demo` share: one line a step, a bar for whatever takes longer than 2 s.
// Plain JavaScript without a dependency, because it runs before there are any.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname ?? '.', '..');
export const cache = join(root, '.cache');
const barAfterMs = 2000;
const barWidth = 24;

/** A failed step: what happened, and what a person can do about it. */
export class StepError extends Error {}

/**
 * Runs `work(report)` under one line of output. `report(share)` with 0..1 fills the bar; without it the bar
 * only counts seconds. Nothing but the line itself is printed for a step that ends within two seconds.
 */
export async function step(label, work) {
  const started = Date.now();
  let share = null;
  const terminal = process.stderr.isTTY;
  const draw = () => {
    const seconds = Math.round((Date.now() - started) / 1000);
    const position = share === null ? (seconds % barWidth) / barWidth : share;
    const filled = Math.min(barWidth, Math.round(position * barWidth));
    const bar = share === null ? ' '.repeat(filled) + '='.repeat(3) : '='.repeat(filled);
    const percent = share === null ? '' : ` ${Math.round(share * 100)} %`;
    process.stderr.write(`\r${label} [${bar.slice(0, barWidth).padEnd(barWidth)}]${percent} ${seconds} s `);
  };
  process.stderr.write(label);
  const timer = setInterval(() => {
    if (terminal && Date.now() - started > barAfterMs) draw();
  }, 250);
  try {
    const result = await work((value) => {
      share = Math.max(0, Math.min(1, value));
    });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stderr.write(terminal ? `\r\x1b[K${label}: done in ${seconds} s\n` : `: done in ${seconds} s\n`);
    return result;
  } catch (error) {
    process.stderr.write(terminal ? `\r\x1b[K${label}: failed\n` : ': failed\n');
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Runs a program quietly; its output is kept for the error alone. */
export function quietly(command, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-8000);
      options.onOutput?.(String(chunk));
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', fail);
    child.on('exit', (code, signal) => {
      if (code === 0) done(output);
      else
        fail(
          new StepError(
            `${command} ${args.slice(0, 3).join(' ')} ended with ${signal ?? code}:\n${output.trim()}`,
          ),
        );
    });
  });
}

/** Runs a program on this terminal. Resolves with its exit code. */
export function loudly(command, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const pass = (signal) => child.kill(signal);
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    child.on('error', fail);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', pass);
      process.off('SIGTERM', pass);
      done(signal ? 1 : (code ?? 1));
    });
  });
}

/** SHA-256 over the names and bytes of files and folders, to tell whether a build is still good. */
export function digest(paths) {
  const hash = createHash('sha256');
  const add = (path) => {
    if (!existsSync(path)) return;
    const entries = folderEntries(path);
    if (entries) for (const entry of entries) add(join(path, entry));
    else hash.update(path.slice(root.length)).update(readFileSync(path));
  };
  for (const path of paths) add(join(root, path));
  return hash.digest('hex');
}

function folderEntries(path) {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (error.code === 'ENOTDIR') return null;
    throw error;
  }
}

/** True when `name` was last stamped with this value; call `stamp` after the work it stands for. */
export function stamped(name, value) {
  const file = join(cache, 'stamps', name);
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

export function stamp(name, value) {
  mkdirSync(join(cache, 'stamps'), { recursive: true });
  writeFileSync(join(cache, 'stamps', name), value);
}

/** Prints what went wrong without a stack trace when it is a failed step, and ends with exit code 1. */
export function run(main) {
  main().catch((error) => {
    process.stderr.write(`error: ${error instanceof StepError ? error.message : (error?.stack ?? error)}\n`);
    process.exitCode = 1;
  });
}
