import { Presets, SingleBar } from 'cli-progress';
import type { ModelProgress } from '../../contract/index.ts';
import type { Output } from './output.ts';

/** With `--json`, between two lines about the same file. */
const quietMs = 500;

const titles: Record<ModelProgress['phase'], string> = {
  downloading: 'Downloading',
  verifying: 'Checking',
  building: 'Building',
  done: 'Done',
  failed: 'Failed',
};

/** Shows what a long job is doing. */
export interface ProgressLine {
  show(progress: ModelProgress): void;
  end(): void;
}

/** Events for programs, a bar on a terminal, a line a step where standard error goes to a file. */
export function createProgressLine(output: Output): ProgressLine {
  if (output.json) return eventLines(output);
  return process.stderr.isTTY ? bar() : stepLines(output);
}

function stepOf({ phase, file }: ModelProgress): string {
  return `${phase} ${file}`;
}

function eventLines(output: Output): ProgressLine {
  let last = '';
  let lastAt = 0;
  return {
    show(progress) {
      const now = performance.now();
      if (stepOf(progress) === last && now - lastAt < quietMs) return;
      last = stepOf(progress);
      lastAt = now;
      output.event({ type: 'progress', ...progress });
    },
    end: () => undefined,
  };
}

function stepLines(output: Output): ProgressLine {
  const told = new Set<string>();
  return {
    show(progress) {
      if (progress.phase === 'done' || progress.phase === 'failed') return;
      const line = stepLine(progress);
      if (told.has(line)) return;
      told.add(line);
      output.note(line);
    },
    end: () => undefined,
  };
}

/** The files of a bundle are checked under one line, however many there are. */
function stepLine({ phase, bundle, file, source, message }: ModelProgress): string {
  if (phase === 'verifying') return `${titles.verifying} the files of ${bundle}`;
  if (phase === 'building')
    return file === '' ? `${bundle}: ${message}` : `${titles.building} ${bundle}: ${file}`;
  const from = source === null ? '' : ` from ${source}`;
  return `${titles[phase]} ${file}${from}${message === null ? '' : ` (the source before: ${message})`}`;
}

function bar(): ProgressLine {
  const format = '{step} [{bar}] {percentage}% {amount}';
  const line = new SingleBar(
    { format, hideCursor: true, clearOnComplete: true, barsize: 30 },
    Presets.legacy,
  );
  let running = false;
  return {
    show({ phase, file, bytes, totalBytes }) {
      const step = `${titles[phase]} ${file}`.slice(0, 46).padEnd(46);
      // A build counts steps; everything else counts bytes.
      const inMegabytes = `${(bytes / 1e6).toFixed(0)} / ${(totalBytes / 1e6).toFixed(0)} MB`;
      const amount = phase === 'building' ? `${bytes} / ${totalBytes}` : inMegabytes;
      if (!running) line.start(Math.max(totalBytes, 1), bytes, { step, amount });
      running = true;
      line.setTotal(Math.max(totalBytes, 1));
      line.update(bytes, { step, amount });
    },
    end() {
      if (running) line.stop();
      running = false;
    },
  };
}
