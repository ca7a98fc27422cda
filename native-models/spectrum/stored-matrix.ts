import { ModelError } from '../errors.ts';
import { derivedTensor } from '../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../formats/tensor-source.ts';
import { shapeText } from '../graph/shape.ts';

/**
 * A matrix [out, in] as linear layers put it into a graph: as it was, turned around in int8 with a scale for each output, or in blocks of 8 or
 * 4 bits. Throws `tensor-missing`, naming the matrix.
 */
export function storedMatrix(weights: TensorSource, name: string): LazyTensor {
  if (weights.has(`${name}.int8`))
    return turned(name, weights.tensor(`${name}.int8`), weights.tensor(`${name}.scales`));
  if (weights.has(`${name}.blocks`))
    return fromBlocks(name, weights.tensor(`${name}.blocks`), weights.tensor(`${name}.scales`));
  if (weights.has(`${name}.data`))
    return fromNibbles(name, weights.tensor(`${name}.data`), weights.tensor(`${name}.scales`));
  const plain = weights.tensor(weights.has(`${name}.values`) ? `${name}.values` : name);
  const [rows = 0, ...rest] = plain.shape;
  const columns = rest.reduce((product, size) => product * size, 1);
  return derivedTensor(name, [rows, columns], () => plain.float32());
}

/** [in, out] to [out, in], each output times its scale. */
function turned(name: string, stored: LazyTensor, scales?: LazyTensor): LazyTensor {
  const [columns = 0, rows = 0] = stored.shape;
  expectSize(name, scales, rows);
  return derivedTensor(name, [rows, columns], () => {
    const from = stored.float32();
    const scale = scales?.float32() ?? new Float32Array(rows).fill(1);
    const values = new Float32Array(from.length);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        values[row * columns + column] = (from[column * rows + row] ?? 0) * (scale[row] ?? 0);
    return values;
  });
}

/** [out, blocks, values of a block] around 128, each block times its scale. */
function fromBlocks(name: string, stored: LazyTensor, scales: LazyTensor): LazyTensor {
  const [rows = 0, blocks = 0, size = 0] = stored.shape;
  expectSize(name, scales, rows * blocks);
  return derivedTensor(name, [rows, blocks * size], () => {
    const scale = scales.float32();
    return Float32Array.from(stored.read(), (value, i) => (value - 128) * (scale[Math.floor(i / size)] ?? 0));
  });
}

/** [out, blocks, bytes of a block], two numbers around 8 to a byte, the low bits first; each block times its scale. */
function fromNibbles(name: string, stored: LazyTensor, scales: LazyTensor): LazyTensor {
  const [rows = 0, blocks = 0, size = 0] = stored.shape;
  expectSize(name, scales, rows * blocks);
  return derivedTensor(name, [rows, 2 * blocks * size], () => {
    const scale = scales.float32();
    const values = new Float32Array(2 * rows * blocks * size);
    stored.read().forEach((pair, i) => {
      const step = scale[Math.floor(i / size)] ?? 0;
      values[2 * i] = ((pair & 15) - 8) * step;
      values[2 * i + 1] = ((pair >> 4) - 8) * step;
    });
    return values;
  });
}

function expectSize(name: string, scales: LazyTensor | undefined, size: number): void {
  const found = scales?.shape.reduce((product, length) => product * length, 1);
  if (found === undefined || found === size) return;
  throw new ModelError(
    'bundle-corrupt',
    `The scales of ${name} ${shapeText(scales?.shape ?? [])} do not fit its ${size} rows or blocks.`,
    'Build the bundle again.',
  );
}
