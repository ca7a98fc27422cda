import type { LazyTensor } from '../formats/tensor-source.ts';
import { shapeMismatch, shapeText } from '../graph/shape.ts';

/** Gives the tensor back. Throws `shape-mismatch`, naming it, when it is of another shape. */
export function expectShape<T extends Pick<LazyTensor, 'name' | 'shape'>>(
  tensor: T,
  shape: readonly number[],
): T {
  if (shapeText(tensor.shape) !== shapeText(shape))
    throw shapeMismatch(`${tensor.name} is ${shapeText(tensor.shape)}, not ${shapeText(shape)}`);
  return tensor;
}
