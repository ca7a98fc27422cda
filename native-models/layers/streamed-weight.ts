import type { Weight } from '../graph/definition.ts';
import type { ElementType } from '../graph/element-types.ts';

/** A weight that is written piece by piece, so that memory never holds it whole. */
export function streamedWeight(
  type: ElementType,
  shape: readonly number[],
  chunks: () => Iterable<Uint8Array>,
): Weight {
  return { type, shape, chunks, read: () => new Uint8Array(Buffer.concat([...chunks()])) };
}

/** The bytes of a typed array, where they lie. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
