import { appendFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { toFailure } from '../contract/index.ts';

export type Log = Logger;

const maxBytes = 5 * 1024 * 1024;
const keptFiles = 7;
const fileName = /^parlance-\d{4}-\d{2}-\d{2}(\.\d+)?\.log$/;

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function removeOldest(folder: string): void {
  const logs = readdirSync(folder).filter((name) => fileName.test(name));
  const byAge = logs
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of byAge.slice(keptFiles)) rmSync(path, { force: true });
}

/** Appends a line to today's file; a file that grew too long is put aside under its hour. */
function rotatingFile(folder: string): { write(line: string): void } {
  let path = '';
  return {
    write(line) {
      try {
        const day = new Date().toISOString().slice(0, 10);
        const today = join(folder, `parlance-${day}.log`);
        if (sizeOf(today) > maxBytes) renameSync(today, join(folder, `parlance-${day}.${Date.now()}.log`));
        if (path !== today) removeOldest(folder);
        path = today;
        appendFileSync(path, line, { mode: 0o600 });
      } catch {
        // The disk may be full or gone; what was to be logged is no reason to stop what the person is doing.
        path = '';
      }
    },
  };
}

/**
 * The log: what happened, with ids, durations and error codes. Never speech, never text that a person or a model
 * wrote, never a token.
 */
export function openLog(folder: string, mode: string): Log {
  return pino(
    { base: { pid: process.pid, mode }, timestamp: pino.stdTimeFunctions.isoTime },
    rotatingFile(folder),
  );
}

/** Where a fault was thrown. Its message stays out: it may quote a file's name, or what somebody said. */
export function faultOf(thrown: unknown): { code: string; at: string[] } {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const at = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return { code: toFailure(thrown).code, at: at.map((line) => line.trim()) };
}

/** A fault that ends the process leaves a line behind. */
export function logCrashes(log: Log): void {
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    log.fatal({ event: 'crashed', origin, name: error.name, ...faultOf(error) });
  });
}
