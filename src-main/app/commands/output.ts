import { styleText } from 'node:util';
import { type Failure, toFailure } from '../../contract/index.ts';

/** Where a command's results go: text for people, or one JSON object a line for programs. Never both. */
export interface Output {
  readonly json: boolean;
  /** With `--json`: one line on standard output. */
  event(event: Readonly<Record<string, unknown>>): void;
  /** For people: standard output, as it is. */
  text(text: string): void;
  /** For people: a dim line beside the result, on standard error so that a redirected result stays clean. */
  note(line: string): void;
  fail(thrown: unknown): void;
}

/** `error: what happened; what to do`, on one line whatever the message: programs read it. */
export function failureLine({ message, hint }: Failure): string {
  return `error: ${message.replace(/[.\s]+$/, '').replace(/\s*\n\s*/g, ' ')}; ${hint}`;
}

export function createOutput(json: boolean): Output {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  return {
    json,
    event: (event) => json && line(JSON.stringify(event)),
    text: (text) => !json && process.stdout.write(text),
    note(text) {
      if (!json) process.stderr.write(`${styleText('dim', text, { stream: process.stderr })}\n`);
    },
    fail(thrown) {
      const failure = toFailure(thrown);
      if (json) line(JSON.stringify({ type: 'error', ...failure }));
      else process.stderr.write(`${failureLine(failure)}\n`);
    },
  };
}
