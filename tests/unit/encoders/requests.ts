import type { EncoderRequest } from '../../../native-models/architectures/encoders/encoder.ts';
import { encoderArchitecture } from '../../../native-models/architectures/encoders/registry.ts';
import { ModelError } from '../../../native-models/errors.ts';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../../native-models/formats/tensor-source.ts';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Builds the encoder with the weights given, and nothing else said. */
export function build(architecture: string, weights: TensorSource, request: Partial<EncoderRequest> = {}) {
  const usual = { weights, config: {}, options: {}, kind: 'float', target: 'cpu' } as const;
  return encoderArchitecture(architecture).build({ ...usual, ...request });
}

/** The fault of a build that must not succeed: `code: message hint`. */
export function faultOf(body: () => unknown): string {
  try {
    body();
  } catch (fault) {
    if (fault instanceof ModelError) return `${fault.code}: ${fault.message} ${fault.hint}`;
    throw fault;
  }
  return 'built';
}

/** The same tensors, each under the name that `rename` gives it; null leaves it out. */
export function renamed(source: TensorSource, rename: (name: string) => string | null): TensorSource {
  const names = new Map<string, string>();
  for (const name of source.names()) {
    const other = rename(name);
    if (other !== null) names.set(other, name);
  }
  return {
    names: () => [...names.keys()],
    has: (name) => names.has(name),
    tensor: (name): LazyTensor => {
      const own = names.get(name);
      if (own === undefined)
        throw new ModelError('tensor-missing', `There is no tensor ${name}.`, 'Look elsewhere.');
      const tensor = source.tensor(own);
      return derivedTensor(name, tensor.shape, () => tensor.float32());
    },
  };
}
