import { Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import { halfToFloat32 } from '../formats/half-precision.ts';
import { float32ToHalf } from './float32-to-half.ts';

/** Numbers with a fraction, in the type that a graph wants. Throws `not-supported` for another than float32 and float16. */
export function floatTensor(type: Tensor.Type, values: Float32Array, shape: readonly number[]): Tensor {
  if (type === 'float32') return new Tensor('float32', values, shape);
  if (type === 'float16') return halfTensor(float32ToHalf(values), shape);
  throw unknownType(type);
}

/**
 * A tensor of half-precision bits. Where JavaScript has a Float16Array the runtime makes one of them, and then finds no bytes in
 * it: it is handed the bits themselves.
 */
export function halfTensor(bits: Uint16Array, shape: readonly number[]): Tensor {
  const tensor = new Tensor('float16', bits, shape);
  return tensor.data === bits ? tensor : Object.defineProperty(tensor, 'data', { value: bits });
}

/** A tensor that a graph gave, as one that a graph takes: see `halfTensor`. */
export function feedable(tensor: Tensor): Tensor {
  const { data, dims } = tensor;
  const isHalf = tensor.type === 'float16' && ArrayBuffer.isView(data) && !(data instanceof Uint16Array);
  return isHalf ? halfTensor(halfBits(data), dims) : tensor;
}

/** Whole numbers, in the type that a graph wants. Throws `not-supported` for another than int64, int32 and bool. */
export function integerTensor(
  type: Tensor.Type,
  values: readonly number[],
  shape: readonly number[],
): Tensor {
  if (type === 'int64') return new Tensor('int64', BigInt64Array.from(values, BigInt), shape);
  if (type === 'int32') return new Tensor('int32', Int32Array.from(values), shape);
  if (type === 'bool') return new Tensor('bool', Uint8Array.from(values, Number), shape);
  throw unknownType(type);
}

/** Values of a float32 or float16 tensor, as float32. Throws `not-supported` for another. */
export function floatsOf(tensor: Tensor): Float32Array {
  const { data } = tensor;
  if (data instanceof Float32Array) return data;
  if (tensor.type === 'float16' && ArrayBuffer.isView(data)) return halfToFloat32(halfBits(data));
  throw unknownType(tensor.type);
}

/** The bits of half-precision values: some runtimes of JavaScript have a Float16Array, some have none. */
export function halfBits(data: ArrayBufferView): Uint16Array<ArrayBuffer> {
  return new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 2);
}

function unknownType(type: string): ModelError {
  return new ModelError(
    'not-supported',
    `A graph of the model takes or gives values of the type ${type}.`,
    'Choose another kind of weights, such as q4 or fp32.',
  );
}
