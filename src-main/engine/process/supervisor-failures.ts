import { ParlanceError } from '../../contract/index.ts';
import type { FinalReply } from './engine-connection.ts';

/** @param lastEnd how the process ended the last time */
export function cannotStart(crashesInARow: number, lastEnd: string, cause: unknown): ParlanceError {
  return new ParlanceError(
    'engine-failed',
    `The engine stopped ${crashesInARow} times in a row; the last time: ${lastEnd}.`,
    'Your question is kept. Run `parlance doctor` to see what fails on this machine, then try again.',
    { cause },
  );
}

/** A request was ended by a reply of another kind of request. */
export function unexpected(reply: FinalReply): ParlanceError {
  const message = `The engine ended a request with "${reply.type}".`;
  return new ParlanceError('internal', message, 'This is a fault in Parlance. Please report it.');
}
