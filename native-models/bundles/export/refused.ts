import { ModelError } from '../../errors.ts';

/** Why a bundle has no place in Ultravox's layout, always with what has. */
export function notExportable(id: string, fault: string): ModelError {
  return new ModelError(
    'not-supported',
    `The bundle ${id} cannot be written in Ultravox's layout: ${fault}.`,
    'What can be is Whisper alone, hearing clips without padding; an adaptor `ultravox`, or a `stack` or `mlp` of the same layers (RMS norm, matrix, activation, matrix, and one more norm, without biases); and a language model that transformers has (docs/foundry/export.md).',
  );
}
