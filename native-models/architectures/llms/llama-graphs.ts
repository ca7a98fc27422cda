import type { Gguf } from '../../formats/gguf.ts';
import type { GraphDefinition, Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { type BlockMatrix, blockMatrix, blockTable, byteMatrix } from '../../layers/block-matrix.ts';
import { blockProduct, type Change, twofoldProduct } from '../../layers/block-product.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import { type Lora, loraFactor, type Projection } from '../../layers/lora.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { rotaryTables } from '../../layers/rotary.ts';
import { type KeysAndValues, rowsAttention } from '../../layers/rows-attention.ts';
import { type Dial, dialOf } from '../../layers/side-branch.ts';
import type { LlamaSettings } from './llama-settings.ts';

/**
 * How a decoder hands its keys and values on. `rows`: caches of a fixed capacity come in, only the new rows go out, all layers in
 * one output; `device`: past and present for each layer, so that they can stay where they are.
 */
export type DecoderForm = 'rows' | 'device';

export interface LlamaParts {
  readonly gguf: Gguf;
  readonly settings: LlamaSettings;
  readonly lora: Lora | null;
}

/** `input_ids` i64 [1, S] → `inputs_embeds` f32 [1, S, hidden]. */
export function llamaEmbedGraph(parts: LlamaParts): GraphDefinition {
  const g = new Graph('embed');
  const ids = g.input('input_ids', 'int64', [1, 'S']);
  const table = blockTable(g, tableMatrix(parts));
  g.output('inputs_embeds', g.gatherBlockQuantized(table, ids));
  return g.finish();
}

/**
 * The LLaMA decoder (Touvron et al. 2023): pre-norm blocks of rotary grouped-query attention and SwiGLU, from embeddings to
 * logits. Inputs and outputs are those of the bundle's manifest.
 */
export function llamaDecoderGraph(parts: LlamaParts, form: DecoderForm): GraphDefinition {
  const { gguf, settings } = parts;
  const g = new Graph(`decoder.${form}`);
  const frame = decoderInputs(g, parts, form);
  const weight = (name: string) => g.weight(name, floatWeight(gguf.tensor(name)));
  const norm = (layer: number, name: string) => weight(`blk.${layer}.${name}.weight`);

  let residual = frame.embeddings;
  let x = g.norm(residual, norm(0, 'attn_norm'), settings.epsilon);
  for (let layer = 0; layer < settings.layers; layer++) {
    const attended = attention(g, parts, layer, x, frame);
    const middle = g.skipNorm(attended, residual, norm(layer, 'ffn_norm'), settings.epsilon);
    const next = layer + 1 < settings.layers ? norm(layer + 1, 'attn_norm') : weight('output_norm.weight');
    const fed = feedForward(g, gguf, layer, middle.normed);
    ({ normed: x, sum: residual } = g.skipNorm(fed, middle.sum, next, settings.epsilon));
  }
  const last = g.slice(x, 1, -1);
  // Only CPUs round inputs on the way.
  const product = form === 'rows' ? twofoldProduct : blockProduct;
  g.output('logits', product(g, last, outputMatrix(parts)));
  frame.finish();
  return g.finish();
}

/** What every layer shares, and how its positions look at one another and at the past. */
interface DecoderFrame {
  readonly embeddings: Value;
  readonly dial: Dial | null;
  /** qkv f32 [1, S, (heads + 2·kvHeads)·headSize] → [1, S, heads·headSize]; keeps the layer's keys and values. */
  attend(layer: number, qkv: Value): Value;
  /** Adds the outputs that hold what was kept. */
  finish(): void;
}

function decoderInputs(g: Graph, { gguf, settings, lora }: LlamaParts, form: DecoderForm): DecoderFrame {
  const { kvHeads, headSize } = settings;
  const pastLength = form === 'rows' ? 'capacity' : 'P';
  const embeddings = g.input('inputs_embeds', 'float32', [1, 'S', settings.hidden]);
  const past = Array.from({ length: settings.layers }, (_, layer) => {
    const cache = (kind: string) =>
      g.input(`past_key_values.${layer}.${kind}`, 'float32', [1, kvHeads, pastLength, headSize]);
    return { key: cache('key'), value: cache('value') };
  });
  const lastPosition = g.input('seqlens_k', 'int32', [1]);
  const totalLength = g.input('total_sequence_length', 'int32', []);
  const divisors = gguf.has('rope_freqs.weight') ? gguf.tensor('rope_freqs.weight').float32() : null;
  const rotary = rotaryTables(settings.contextLength, headSize, settings.theta, divisors);
  const tables = {
    cosines: g.weight('rotary.cosines', rotary.cosines),
    sines: g.weight('rotary.sines', rotary.sines),
  };
  const dial = lora === null ? null : dialOf(g, g.input('lora_scale', 'float32', []));
  const pastOf = (layer: number) => past[layer] ?? raiseLayer(layer);
  const inputs = { embeddings, lastPosition, totalLength, ...tables };
  const attention =
    form === 'rows' ? rowsForm(g, settings, inputs, pastOf) : deviceForm(g, settings, inputs, pastOf);
  return { embeddings, dial, ...attention };
}

interface AttentionInputs {
  readonly embeddings: Value;
  readonly lastPosition: Value;
  readonly totalLength: Value;
  readonly cosines: Value;
  readonly sines: Value;
}

type AttentionForm = Pick<DecoderFrame, 'attend' | 'finish'>;

/** Caches of a fixed capacity come in and stay; the new rows of all layers go out together. */
function rowsForm(
  g: Graph,
  settings: LlamaSettings,
  inputs: AttentionInputs,
  pastOf: (layer: number) => KeysAndValues,
): AttentionForm {
  const { layers, kvHeads, headSize } = settings;
  const attendOver = rowsAttention(g, settings, { ...inputs, cache: pastOf(0).key });
  const kept: Value[] = [];
  return {
    attend(layer, qkv) {
      const { y, rows } = attendOver(qkv, pastOf(layer));
      kept.push(rows.key, rows.value);
      return y;
    },
    finish: () => g.output('rows', g.concat(kept, 0), [2 * layers, kvHeads, 'S', headSize]),
  };
}

/** Each layer's cache comes in and goes out, longer by the run's positions. */
function deviceForm(
  g: Graph,
  { heads, kvHeads }: LlamaSettings,
  inputs: AttentionInputs,
  pastOf: (layer: number) => KeysAndValues,
): AttentionForm {
  const present: Array<{ name: string; value: Value }> = [];
  return {
    attend(layer, qkv) {
      const past = pastOf(layer);
      const { y, presentKey, presentValue } = g.groupQueryAttention({
        ...{ qkv, pastKey: past.key, pastValue: past.value, heads, kvHeads },
        ...{ lastPosition: inputs.lastPosition, totalLength: inputs.totalLength },
        ...{ cosines: inputs.cosines, sines: inputs.sines },
      });
      present.push({ name: `present.${layer}.key`, value: presentKey });
      present.push({ name: `present.${layer}.value`, value: presentValue });
      return y;
    },
    finish: () => {
      for (const { name, value } of present) g.output(name, value);
    },
  };
}

function raiseLayer(layer: number): never {
  throw new RangeError(`the decoder has no layer ${layer}`);
}

function attention(g: Graph, parts: LlamaParts, layer: number, x: Value, frame: DecoderFrame): Value {
  const { gguf, settings, lora } = parts;
  const { heads, kvHeads, headSize, hidden } = settings;
  const changed = (input: number, projections: readonly Projection[]): Change | null =>
    lora && frame.dial && { factor: loraFactor(lora, layer, projections, input), dial: frame.dial };
  const rows = (name: string, count: number, columns: number) =>
    expectShape(gguf.tensor(`blk.${layer}.${name}.weight`), [count, columns]);

  const order = halvesFromPairs(headSize);
  const qkvMatrix = blockMatrix(`blk.${layer}.attn_qkv`, [
    { tensor: rows('attn_q', heads * headSize, hidden), order },
    { tensor: rows('attn_k', kvHeads * headSize, hidden), order },
    { tensor: rows('attn_v', kvHeads * headSize, hidden), order: null },
  ]);
  const qkvChange = changed(hidden, [
    { name: 'q_proj', outputs: heads * headSize },
    { name: 'k_proj', outputs: kvHeads * headSize },
    { name: 'v_proj', outputs: kvHeads * headSize },
  ]);
  const y = frame.attend(layer, blockProduct(g, x, qkvMatrix, qkvChange));
  const outputMatrix = blockMatrix(`blk.${layer}.attn_output`, [
    { tensor: rows('attn_output', hidden, heads * headSize), order: null },
  ]);
  return blockProduct(g, y, outputMatrix, changed(heads * headSize, [{ name: 'o_proj', outputs: hidden }]));
}

/** SwiGLU: `down(silu(gate(x)) · up(x))`, gate and up in one product. */
function feedForward(g: Graph, gguf: Gguf, layer: number, x: Value): Value {
  const tensor = (name: string) => gguf.tensor(`blk.${layer}.${name}.weight`);
  const gateTensor = tensor('ffn_gate');
  const [width = 0] = gateTensor.shape;
  const gateAndUp = blockMatrix(`blk.${layer}.ffn_gate_up`, [
    { tensor: gateTensor, order: null },
    { tensor: expectShape(tensor('ffn_up'), gateTensor.shape), order: null },
  ]);
  const down = blockMatrix(`blk.${layer}.ffn_down`, [{ tensor: tensor('ffn_down'), order: null }]);
  const [gate, up] = g.split(blockProduct(g, x, gateAndUp), [width, width], -1);
  return blockProduct(g, g.mul(g.mul(gate, g.sigmoid(gate)), up), down);
}

/**
 * GGUF stores the rows of a llama head so that rotated dimensions are neighbours; the split-half form wants dimension i beside
 * i + headSize/2. Gives the file's row for a row in split-half order.
 */
function halvesFromPairs(headSize: number): (row: number) => number {
  const half = headSize / 2;
  return (row) => {
    const within = row % headSize;
    return row - within + 2 * (within % half) + Math.floor(within / half);
  };
}

/** [vocabulary, hidden]. */
function tableMatrix(parts: LlamaParts, name = 'token_embd'): BlockMatrix {
  const { vocabulary, hidden } = parts.settings;
  return byteMatrix(name, expectShape(parts.gguf.tensor(`${name}.weight`), [vocabulary, hidden]));
}

/** Models with tied embeddings have no matrix of their own: then it is the embedding table. */
function outputMatrix(parts: LlamaParts): BlockMatrix {
  return parts.gguf.has('output.weight') ? tableMatrix(parts, 'output') : tableMatrix(parts);
}
