import type { LazyTensor } from '../formats/tensor-source.ts';
import { shapeMismatch, shapeText } from '../graph/shape.ts';

/** Gives the tensor back. Throws `shape-mismatch`, naming it, when it is of another shape. */
export function expectShape(tensor: LazyTensor, shape: readonly number[]): LazyTensor {
  if (shapeText(tensor.shape) !== shapeText(shape))
    throw shapeMismatch(`${tensor.name} is ${shapeText(tensor.shape)}, not ${shapeText(shape)}`);
  return tensor;
}
