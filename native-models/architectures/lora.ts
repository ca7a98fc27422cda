import type { LazyTensor, TensorSource } from '../formats/tensor-source.ts';
import type { Value, Weight } from '../graph/definition.ts';
import type { Graph } from '../graph/graph.ts';
import { shapeMismatch, shapeText } from '../graph/shape.ts';

/**
 * Low-rank changes to projections (Hu et al. 2021, LoRA): `y = W·x + scale · B·(A·x)`. The scale, alpha / rank when trained, is an
 * input of the graph, so that one set of weights serves with and without them, and in between.
 */
export interface Lora {
  readonly tensors: TensorSource;
  /** What stands before `model.layers.N…` in the names. */
  readonly prefix: string;
  readonly rank: number;
}

/** One projection's share in a fused product. */
interface Part {
  readonly a: LazyTensor;
  readonly b: LazyTensor;
  readonly outputs: number;
}

/**
 * `scale · B·(A·x)` for projections of layer `layer` that are computed side by side: x [1, S, inputs] → [1, S, Σ outputs]. The A of
 * all lie side by side in one matrix, the B down the diagonal of another, so that it costs two products whatever their number.
 */
export function loraBranch(
  g: Graph,
  lora: Lora,
  layer: number,
  projections: ReadonlyArray<{ readonly name: string; readonly outputs: number }>,
  x: Value,
  scale: Value,
): Value {
  const inputs = Number(x.shape.at(-1));
  const parts = projections.map(({ name, outputs }): Part => {
    const path = `${lora.prefix}model.layers.${layer}.self_attn.${name}`;
    const part = { a: lora.tensors.tensor(`${path}.A`), b: lora.tensors.tensor(`${path}.B`), outputs };
    expectShape(part.a, [lora.rank, inputs]);
    expectShape(part.b, [outputs, lora.rank]);
    return part;
  });
  const name = `layers.${layer}.lora.${projections.map((projection) => projection.name).join('+')}`;
  const down = g.weight(`${name}.A`, sideBySide(parts, inputs, lora.rank));
  const up = g.weight(`${name}.B`, diagonal(parts, lora.rank));
  return g.matMul(g.mul(g.matMul(x, down), scale), up);
}

function expectShape(tensor: LazyTensor, shape: readonly number[]): void {
  if (shapeText(tensor.shape) !== shapeText(shape))
    throw shapeMismatch(`${tensor.name} is ${shapeText(tensor.shape)}, not ${shapeText(shape)}`);
}

/** Every Aᵀ beside the others: [inputs, parts · rank]. */
function sideBySide(parts: readonly Part[], inputs: number, rank: number): Weight {
  const width = parts.length * rank;
  return {
    type: 'float32',
    shape: [inputs, width],
    read: () => {
      const values = new Float32Array(inputs * width);
      parts.forEach(({ a }, part) => {
        const rows = a.float32();
        for (let r = 0; r < rank; r++)
          for (let i = 0; i < inputs; i++) values[i * width + part * rank + r] = rows[r * inputs + i] ?? 0;
      });
      return new Uint8Array(values.buffer);
    },
  };
}

/** Every Bᵀ in its own rows and columns, zero elsewhere: [parts · rank, Σ outputs]. */
function diagonal(parts: readonly Part[], rank: number): Weight {
  const width = parts.reduce((sum, { outputs }) => sum + outputs, 0);
  return {
    type: 'float32',
    shape: [parts.length * rank, width],
    read: () => {
      const values = new Float32Array(parts.length * rank * width);
      let firstColumn = 0;
      parts.forEach(({ b, outputs }, part) => {
        const rows = b.float32();
        for (let n = 0; n < outputs; n++)
          for (let r = 0; r < rank; r++)
            values[(part * rank + r) * width + firstColumn + n] = rows[n * rank + r] ?? 0;
        firstColumn += outputs;
      });
      return new Uint8Array(values.buffer);
    },
  };
}
