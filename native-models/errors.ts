/** What can be wrong with a model file or a bundle. */
export type ModelErrorCode =
  | 'file-missing'
  | 'file-truncated'
  | 'file-invalid'
  | 'not-supported'
  | 'shape-mismatch'
  | 'tensor-missing'
  | 'bundle-incomplete'
  | 'bundle-corrupt'
  | 'bundle-newer'
  | 'bundle-invalid';

/** An expected failure of the foundry: `message` says what happened, naming the file or tensor; `hint` what to do. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  readonly hint: string;

  constructor(code: ModelErrorCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ModelError';
    this.code = code;
    this.hint = hint;
  }
}
