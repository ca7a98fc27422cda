import type { GraphDefinition, Value, Weight } from '../../../graph/definition.ts';
import { Graph } from '../../../graph/graph.ts';
import type { Target } from '../../../graph/target.ts';
import { readablePositions } from '../../../layers/positions.ts';
import { type RotarySettings, rotaryTables } from '../../../layers/rotary.ts';
import type { AttentionKind, RotaryValues } from '../../../layers/rows-attention.ts';
import { type Dial, dialOf } from '../../../layers/side-branch.ts';
import { lastProduct, lookUp, product } from '../../../layers/weight-product.ts';
import { type AttentionForm, type DecoderForm, deviceForm, rowsForm } from './attention-forms.ts';
import type { Activation, DecoderSettings } from './settings.ts';
import type { DecoderWeights, LinearGroup } from './weights.ts';

/** `input_ids` i64 [1, S] → `inputs_embeds` f32 [1, S, hidden]. */
export function embedGraph(weights: DecoderWeights, target: Target): GraphDefinition {
  const g = new Graph('embed', target);
  const ids = g.input('input_ids', 'int64', [1, 'S']);
  const rows = lookUp(g, weights.tableMatrix(), ids);
  g.output('inputs_embeds', scaled(g, rows, weights.settings.tokenScale));
  return g.finish();
}

/**
 * A decoder of pre-norm blocks: rotary grouped-query attention and a gated feed-forward, from embeddings to the last position's
 * logits (LLaMA, Touvron et al. 2023, and what the families' settings change of it). Inputs and outputs are those of the bundle's
 * manifest; `lora_scale` is there where the weights have a LoRA with a dial.
 */
export function decoderGraph(
  weights: DecoderWeights,
  form: DecoderForm,
  target: Target,
  withDial: boolean,
): GraphDefinition {
  const g = new Graph(`decoder.${form}`, target);
  const builder = new DecoderBuilder(g, weights, form, withDial);
  const hidden = builder.blocks();
  g.output('logits', builder.logits(g.slice(hidden, 1, -1)));
  builder.finish();
  return g.finish();
}

class DecoderBuilder {
  readonly #g: Graph;
  readonly #weights: DecoderWeights;
  readonly #settings: DecoderSettings;
  readonly #embeddings: Value;
  readonly #attention: AttentionForm;
  readonly #dial: Dial | null;
  readonly #form: DecoderForm;
  readonly #rotary = new Map<RotarySettings, RotaryValues>();

  constructor(g: Graph, weights: DecoderWeights, form: DecoderForm, withDial: boolean) {
    this.#g = g;
    this.#weights = weights;
    this.#form = form;
    const { settings } = weights;
    const { kvHeads, headSize } = settings;
    this.#settings = settings;
    this.#embeddings = g.input('inputs_embeds', 'float32', [1, 'S', settings.hidden]);
    const pastLength = form === 'rows' ? 'capacity' : 'P';
    const past = Array.from({ length: settings.layers }, (_, layer) => {
      const cache = (kind: string) =>
        g.input(`past_key_values.${layer}.${kind}`, 'float32', [1, kvHeads, pastLength, headSize]);
      return { key: cache('key'), value: cache('value') };
    });
    const inputs = {
      embeddings: this.#embeddings,
      lastPosition: g.input('seqlens_k', 'int32', [1]),
      totalLength: g.input('total_sequence_length', 'int32', []),
      pastOf: (layer: number) => past[layer] ?? raiseLayer(layer),
    };
    this.#dial = withDial ? dialOf(g, g.input('lora_scale', 'float32', [])) : null;
    this.#attention = form === 'rows' ? rowsForm(g, settings, inputs) : deviceForm(g, settings, inputs);
  }

  /** f32 [1, S, hidden], normed for the output matrix. */
  blocks(): Value {
    const { layers, epsilon, rowScale } = this.#settings;
    const g = this.#g;
    let residual = scaled(g, this.#embeddings, rowScale);
    let x = g.norm(residual, this.#constant(this.#weights.norm(0, 'attention')), epsilon);
    for (let layer = 0; layer < layers; layer++) {
      const attended = this.#added(this.#attend(layer, x), layer, 'afterAttention');
      const beforeFeedForward = this.#constant(this.#weights.norm(layer, 'feedForward'));
      const middle = g.skipNorm(attended, residual, beforeFeedForward, epsilon);
      const fed = this.#added(this.#feedForward(layer, middle.normed), layer, 'afterFeedForward');
      const next =
        layer + 1 < layers ? this.#weights.norm(layer + 1, 'attention') : this.#weights.finalNorm();
      ({ normed: x, sum: residual } = g.skipNorm(fed, middle.sum, this.#constant(next), epsilon));
    }
    return x;
  }

  /** x f32 [1, 1, hidden] → [1, 1, vocabulary]. Only CPUs round inputs on the way, so only they are asked for exactness. */
  logits(x: Value): Value {
    const { logitDivisor, logitSoftcap } = this.#settings;
    const g = this.#g;
    const multiply = this.#form === 'rows' ? lastProduct : product;
    const plain = multiply(g, x, this.#weights.outputMatrix());
    const divided = logitDivisor === 1 ? plain : g.div(plain, g.constant('float32', [], [logitDivisor]));
    if (logitSoftcap === null) return divided;
    const cap = g.constant('float32', [], [logitSoftcap]);
    return g.mul(g.tanh(g.div(divided, cap)), cap);
  }

  finish(): void {
    this.#attention.finish();
  }

  #attend(layer: number, x: Value): Value {
    const qkv = this.#linear(x, this.#weights.queryKeyValue(layer));
    const normed = this.#settings.headNorms ? (value: Value) => this.#headNorms(layer, value) : null;
    const attended = this.#attention.attend(layer, qkv, this.#kind(layer), normed);
    return this.#linear(attended, this.#weights.attentionOutput(layer));
  }

  /** `down(activation(gate(x)) · up(x))`, gate and up in one product. */
  #feedForward(layer: number, x: Value): Value {
    const g = this.#g;
    const width = this.#weights.middleWidth(layer);
    const gateAndUp = this.#linear(x, this.#weights.gateAndUp(layer));
    const [gate, up] = g.split(gateAndUp, [width, width], -1);
    const gated = g.mul(activated(g, gate, this.#settings.activation), up);
    return this.#linear(gated, this.#weights.down(layer));
  }

  #linear(x: Value, { matrix, bias, change }: LinearGroup): Value {
    const dial = this.#dial;
    const y = product(this.#g, x, matrix, change === null || dial === null ? null : { factor: change, dial });
    return bias === null ? y : this.#g.add(y, this.#constant(bias));
  }

  /** What a block gives, as it is added to the residual. */
  #added(x: Value, layer: number, role: 'afterAttention' | 'afterFeedForward'): Value {
    const { sandwichNorms, residualScale, epsilon } = this.#settings;
    const g = this.#g;
    const normed = sandwichNorms ? g.norm(x, this.#constant(this.#weights.norm(layer, role)), epsilon) : x;
    return scaled(g, normed, residualScale);
  }

  /** Each head by itself: one norm for queries and keys, then the weights of either. */
  #headNorms(layer: number, queryAndKey: Value): Value {
    const { heads, kvHeads, headSize, epsilon } = this.#settings;
    const g = this.#g;
    const one = { type: 'float32', shape: [headSize], read: () => ones(headSize) } as const;
    const byHead = g.reshape(queryAndKey, [0, 0, heads + kvHeads, headSize]);
    const normed = g.norm(byHead, g.weight(`ones.${headSize}`, one), epsilon);
    const query = this.#weights.norm(layer, 'query').weight;
    const key = this.#weights.norm(layer, 'key').weight;
    const shape = [heads + kvHeads, headSize];
    const read = async () => {
      const [ofQuery, ofKey] = [await query.read(), await key.read()];
      const rows = Array.from({ length: heads + kvHeads }, (_, head) => (head < heads ? ofQuery : ofKey));
      return Buffer.concat(rows);
    };
    const weight: Weight = { type: 'float32', shape, read };
    const changed = g.mul(normed, g.weight(`blk.${layer}.head_norms`, weight));
    return g.reshape(changed, [0, 0, (heads + kvHeads) * headSize]);
  }

  #kind(layer: number): AttentionKind {
    const { attention, attentionScale, contextLength } = this.#settings;
    const { rotary, window } = attention[layer] ?? raiseLayer(layer);
    return {
      rotary: rotary && this.#tables(rotary, readablePositions(contextLength)),
      window,
      scale: attentionScale,
    };
  }

  /** Layers of one kind share their tables. */
  #tables(rotary: RotarySettings, positions: number): RotaryValues {
    const name = this.#rotary.size === 0 ? 'rotary' : `rotary.${this.#rotary.size}`;
    const tables = this.#rotary.get(rotary) ?? rotaryTables(this.#g, name, positions, rotary);
    this.#rotary.set(rotary, tables);
    return tables;
  }

  #constant({ name, weight }: { name: string; weight: Weight }): Value {
    return this.#g.weight(name, weight);
  }
}

function activated(g: Graph, x: Value, activation: Activation): Value {
  switch (activation) {
    case 'silu':
      return g.mul(x, g.sigmoid(x));
    case 'gelu':
      return g.gelu(x);
    case 'gelu-tanh':
      return g.gelu(x, 'tanh');
  }
}

function scaled(g: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : g.mul(x, g.constant('float32', [], [factor]));
}

function ones(count: number): Uint8Array {
  return new Uint8Array(new Float32Array(count).fill(1).buffer);
}

function raiseLayer(layer: number): never {
  throw new RangeError(`the decoder has no layer ${layer}`);
}
