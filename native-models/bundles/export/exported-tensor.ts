import type { StreamedTensor } from '../../formats/safetensors-stream.ts';
import type { LazyTensor } from '../../formats/tensor-source.ts';
import { type BlockRows, floatRows, storedRows } from '../../layers/row-chunks.ts';
import { bytesOf } from '../../layers/streamed-weight.ts';

const kept = ['F32', 'F16', 'BF16'] as const;

/**
 * A tensor under its name in the folder, with the very values of its source: floats byte for byte, levels of quantised blocks and
 * whatever is computed in single precision. `order` gives the source's row for each row that is written.
 */
export function exportedTensor(
  name: string,
  tensor: LazyTensor,
  order: BlockRows['order'] = null,
): StreamedTensor {
  const rows = [{ tensor, order }];
  const type = kept.find((one) => one === tensor.type);
  if (type !== undefined) return { name, type, shape: tensor.shape, chunks: () => storedRows(rows) };
  return { name, type: 'F32', shape: tensor.shape, chunks: () => inBytes(floatRows(rows)) };
}

function* inBytes(chunks: Iterable<Float32Array>): Generator<Uint8Array> {
  for (const chunk of chunks) yield bytesOf(chunk);
}

/** The narrowest type, as PyTorch names it, that holds every tensor as it is. */
export function commonType(tensors: readonly StreamedTensor[]): 'float32' | 'float16' | 'bfloat16' {
  const types = new Set(tensors.map(({ type }) => type));
  if (types.size > 1) return 'float32';
  return types.has('F16') ? 'float16' : types.has('BF16') ? 'bfloat16' : 'float32';
}
