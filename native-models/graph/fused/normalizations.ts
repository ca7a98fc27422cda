import { float, int, string } from '../core.ts';
import type { Value } from '../definition.ts';
import { DynamicOperators } from '../operators/dynamic.ts';

const microsoft = 'com.microsoft';

/** Normalisations and gates that ONNX Runtime computes in one pass over memory. */
export class FusedNormalizations extends DynamicOperators {
  /** RMS norm, `x / sqrt(mean(x²) + ε) · w`. ONNX Runtime keeps it in the standard's domain under this name. */
  norm(x: Value, weight: Value, epsilon: number): Value {
    this.expectWidth('SimplifiedLayerNormalization', x, weight);
    if (!this.has('SimplifiedLayerNormalization')) {
      const meanSquare = this.reduceMean(this.mul(x, x), -1);
      const root = this.sqrt(this.add(meanSquare, this.constant(x.type, [], [epsilon])));
      return this.mul(this.div(x, root), weight);
    }
    const attributes = { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) };
    const [y] = this.op('', 'SimplifiedLayerNormalization', [x, weight], attributes, [x]);
    return y;
  }

  /** `norm(x + skip)` and the sum itself, in one pass over memory: the residual step of LLaMA-like blocks. */
  skipNorm(x: Value, skip: Value, weight: Value, epsilon: number): { normed: Value; sum: Value } {
    this.expectWidth('SkipSimplifiedLayerNormalization', x, weight);
    if (!this.has('SkipSimplifiedLayerNormalization')) {
      const added = this.add(x, skip);
      return { normed: this.norm(added, weight, epsilon), sum: added };
    }
    const [normed, , , sum] = this.op(
      microsoft,
      'SkipSimplifiedLayerNormalization',
      [x, skip, weight],
      { epsilon: float(epsilon) },
      [x, null, null, x],
    );
    return { normed, sum };
  }

  /** The same with mean and bias: `layerNormalization(x + skip)` and the sum. */
  skipLayerNormalization(x: Value, skip: Value, scale: Value, bias: Value, epsilon: number) {
    this.expectWidth('SkipLayerNormalization', x, scale);
    if (!this.has('SkipLayerNormalization')) {
      const added = this.add(x, skip);
      return { normed: this.layerNormalization(added, scale, bias, epsilon), sum: added };
    }
    const [normed, , , sum] = this.op(
      microsoft,
      'SkipLayerNormalization',
      [x, skip, scale, bias],
      { epsilon: float(epsilon) },
      [x, null, null, x],
    );
    return { normed, sum };
  }

  /** The exact form, with erf; `tanh` is the approximation of GPT-2 and Gemma (Hendrycks and Gimpel 2016). */
  gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
    if (this.has('Gelu')) {
      const [y] = this.op('', 'Gelu', [x], { approximate: string(approximate) }, [x]);
      return y;
    }
    const number = (value: number) => this.constant(x.type, [], [value]);
    const cubic = () => this.add(x, this.mul(this.mul(this.mul(x, x), x), number(0.044715)));
    const gate =
      approximate === 'none'
        ? this.erf(this.mul(x, number(Math.SQRT1_2)))
        : this.tanh(this.mul(cubic(), number(Math.sqrt(2 / Math.PI))));
    return this.mul(this.mul(x, number(0.5)), this.add(gate, number(1)));
  }
}
