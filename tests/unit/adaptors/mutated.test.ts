import { describe, expect, it } from 'vitest';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { ModelError } from '../../../native-models/errors.ts';
import type { TensorSource } from '../../../native-models/formats/tensor-source.ts';
import { adaptorCases } from '../../parity/adaptors/adaptor-cases.ts';
import { adaptorRequest } from '../../parity/adaptors/adaptor-kit.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;

/** Shapes that a file may have instead of the right one. */
function wrongShapes(shape: readonly number[]): number[][] {
  return [
    [],
    [...shape, 2],
    shape.slice(1),
    shape.map(() => 0),
    shape.map((size) => size + 1),
    shape.toReversed(),
    shape.map(() => 1),
  ];
}

/** The case's tensors with one of them missing, or of another shape. */
function mutations(shapes: Shapes): Shapes[] {
  return Object.entries(shapes).flatMap(([name, shape]) => {
    const { [name]: _, ...others } = shapes;
    return [others, ...wrongShapes(shape).map((wrong) => ({ ...shapes, [name]: wrong }))];
  });
}

/** Misses a tensor as the readers of weight files do. */
function asRead(source: TensorSource): TensorSource {
  const tensor = (name: string) => {
    if (source.has(name)) return source.tensor(name);
    throw new ModelError('tensor-missing', `The file has no tensor ${name}.`, 'Check the file.');
  };
  return { names: () => source.names(), has: (name) => source.has(name), tensor };
}

describe.each(Object.entries(adaptorCases))('weights that are nearly those of %s', (_, given) => {
  it('are built or refused with a reason', () => {
    const architecture = adaptorArchitecture(given.architecture);
    for (const shapes of mutations(given.shapes)) {
      let fault: unknown = null;
      try {
        const request = adaptorRequest({ ...given, shapes });
        architecture.build({ ...request, weights: asRead(request.weights) }).graph.finish();
      } catch (thrown) {
        fault = thrown;
      }
      if (fault !== null) expect(fault).toBeInstanceOf(ModelError);
    }
  });
});
