import { type Command, CommanderError } from 'commander';
import { z } from 'zod';
import { asParlanceError } from '../../engine/failures.ts';
import { type Home, openHome } from '../home.ts';
import { type Log, openLog } from '../log.ts';
import { createOutput, type Output } from './output.ts';

/** What a command works with. */
export interface Invocation {
  readonly output: Output;
  readonly home: Home;
  readonly log: Log;
  /** Aborted by Ctrl+C and by a signal to end. */
  readonly signal: AbortSignal;
}

type Work<Options> = (invocation: Invocation, options: Options, parameters: string[]) => Promise<void>;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Gives a command its `--json`, its checked options and its end: exit code 0 when `work` resolves, 1 when it rejects,
 * 2 when an option is wrong. A signal aborts `work`, which then ends in order; a second signal changes nothing, since
 * a terminal and the program that started us may both send one.
 */
export function runs<Schema extends z.ZodType>(
  command: Command,
  schema: Schema,
  work: Work<z.output<Schema>>,
): void {
  command.option('--json', 'print one JSON object a line');
  command.action(async () => {
    const given = command.opts<{ json?: boolean }>();
    const options = schema.safeParse(given);
    if (!options.success) return usageError(command, options.error);
    const output = createOutput(given.json === true);
    const stop = new AbortController();
    for (const signal of signals) process.on(signal, () => stop.abort());
    try {
      const home = await openHome();
      const log = openLog(home.logs, command.name());
      await work({ output, home, log, signal: stop.signal }, options.data, command.args);
    } catch (thrown) {
      if (thrown instanceof CommanderError) throw thrown;
      output.fail(asParlanceError(thrown));
      process.exitCode = 1;
    }
  });
}

function usageError(command: Command, error: z.ZodError): never {
  const [issue] = error.issues;
  const option = String(issue?.path[0] ?? '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return command.error(`error: --${option} ${issue ? faultOf(issue) : 'is wrong'}`, { exitCode: 2 });
}

/** What is wrong with an option's value, in words for the person who typed it. */
function faultOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_type' && issue.expected === 'int') return 'must be a whole number';
  if (issue.code === 'invalid_type' && issue.expected === 'number') return 'must be a number';
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  return `is wrong: ${issue.message}`;
}

/** A number given as text, as zod should see it. */
export const numberOption = z.string().transform(Number);
