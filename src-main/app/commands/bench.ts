import type { Command } from 'commander';
import { addBenchSay } from './bench-say.ts';
import { addBenchVad } from './bench-vad.ts';

/** `parlance bench vad|say`: what is measured on this machine. */
export function addBench(program: Command): void {
  const bench = program.command('bench').description('Measures parts of Parlance on this machine.');
  addBenchVad(bench);
  addBenchSay(bench);
}
