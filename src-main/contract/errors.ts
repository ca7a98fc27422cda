import { z } from 'zod';

/**
 * Every failure a person can meet has a code. The code is for programs; `message` says what happened and
 * `hint` what to do next, both in plain words.
 */
const errorCodes = [
  'audio-empty',
  'audio-too-short',
  'audio-too-long',
  'audio-silent',
  'audio-format',
  'audio-truncated',
  'text-empty',
  'text-too-long',
  'voices-missing',
  'bundle-missing',
  'bundle-incomplete',
  'bundle-corrupt',
  'bundle-newer',
  'bundle-invalid',
  'download-failed',
  'download-hash',
  'disk-full',
  'database-locked',
  'database-readonly',
  'database-corrupt',
  'database-newer',
  'conversation-missing',
  'turn-missing',
  'recording-missing',
  'engine-stopped',
  'engine-busy',
  'engine-failed',
  'device-unavailable',
  'microphone-missing',
  'microphone-denied',
  'file-missing',
  'file-unreadable',
  'not-supported',
  'invalid-request',
  'unauthorized',
  'cancelled',
  'internal',
] as const;

export const errorCodeSchema = z.enum(errorCodes);
export type ErrorCode = z.infer<typeof errorCodeSchema>;

export const failureSchema = z.object({
  code: errorCodeSchema,
  message: z.string(),
  hint: z.string(),
});
/** A failure as data: what crosses a process border, is stored with a turn, or is printed as JSON. */
export type Failure = z.infer<typeof failureSchema>;

/** An expected failure, thrown. Anything else that is thrown is a bug and is shown as `internal`. */
export class ParlanceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ParlanceError';
    this.code = code;
    this.hint = hint;
  }

  static from(failure: Failure): ParlanceError {
    return new ParlanceError(failure.code, failure.message, failure.hint);
  }

  toFailure(): Failure {
    return { code: this.code, message: this.message, hint: this.hint };
  }
}

/** Turns whatever was thrown into a failure that can be shown; a full disk is recognised wherever it struck. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof ParlanceError) return thrown.toFailure();
  const systemCode = (thrown as { code?: unknown } | null)?.code;
  if (systemCode === 'ENOSPC' || systemCode === 'SQLITE_FULL') {
    return {
      code: 'disk-full',
      message: 'The disk is full.',
      hint: 'Free some space and try again; what was already saved stays.',
    };
  }
  return {
    code: 'internal',
    message: thrown instanceof Error ? thrown.message : String(thrown),
    hint: 'This is a fault in Parlance. Run `parlance doctor` and report what it prints.',
  };
}
