import type { Command } from 'commander';
import { addBenchVad } from './bench-vad.ts';

/** `parlance bench vad`: what is measured on this machine. */
export function addBench(program: Command): void {
  const bench = program.command('bench').description('Measures parts of Parlance on this machine.');
  addBenchVad(bench);
}
