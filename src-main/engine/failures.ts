import { ModelError, type ModelErrorCode } from '../../native-models/errors.ts';
import type { Provider } from '../contract/conversation.ts';
import { type ErrorCode, ParlanceError } from '../contract/errors.ts';

const codes: Record<ModelErrorCode, ErrorCode> = {
  'file-missing': 'bundle-incomplete',
  'file-truncated': 'bundle-corrupt',
  'file-invalid': 'bundle-corrupt',
  'not-supported': 'not-supported',
  'shape-mismatch': 'bundle-invalid',
  'tensor-missing': 'bundle-invalid',
  'bundle-incomplete': 'bundle-incomplete',
  'bundle-corrupt': 'bundle-corrupt',
  'bundle-newer': 'bundle-newer',
  'bundle-invalid': 'bundle-invalid',
};

/** A failure of the foundry's readers, as the contract names it. Anything else is handed back as it is. */
export function asParlanceError(thrown: unknown): unknown {
  if (!(thrown instanceof ModelError)) return thrown;
  return new ParlanceError(codes[thrown.code], thrown.message, thrown.hint, { cause: thrown });
}

/** onnxruntime threw: says where and on which provider, with its own first line. */
export function engineFailed(provider: Provider, step: string, cause: unknown): ParlanceError {
  return new ParlanceError(
    'engine-failed',
    `${step} failed on ${provider}: ${firstLine(cause)}`,
    provider === 'cpu'
      ? 'Try again; if it fails again, run `parlance models verify`.'
      : 'Try again with `--device cpu`; `parlance devices` shows what works on this machine.',
    { cause },
  );
}

/** The provider cannot be used, and why, in its own words. */
export function deviceUnavailable(provider: Provider, reason: string, cause?: unknown): ParlanceError {
  return new ParlanceError(
    'device-unavailable',
    `The ${provider} provider cannot be used: ${reason}.`,
    '`parlance devices` shows what works here; `--device auto` takes the first that does.',
    { cause },
  );
}

/** What onnxruntime says, without the call stack it adds. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]?.slice(0, 300) ?? '';
}

/** A bundle without the part that a request needs. */
export function partMissing(bundle: string, part: string): ParlanceError {
  return new ParlanceError(
    'not-supported',
    `The bundle ${bundle} has no ${part}.`,
    'Choose a bundle that has one, or the other engine.',
  );
}

/** An LLM whose tokens nobody can read or write. */
export function noTokenizer(bundle: string): ParlanceError {
  return new ParlanceError(
    'not-supported',
    `The bundle ${bundle} has no tokenizer: its LLM cannot be talked to, only probed with ids.`,
    "Build it again with tokenizer.json or tokenizer.model beside the LLM's weights.",
  );
}
