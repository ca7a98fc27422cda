import { derivedTensor } from '../../../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../../formats/tensor-source.ts';
import type { Weight } from '../../../graph/definition.ts';
import { shapeMismatch } from '../../../graph/shape.ts';
import { expectShape } from '../../../layers/expect-shape.ts';
import { type LoraPart, loraFactor, loraParts } from '../../../layers/lora.ts';
import { mergedTensor } from '../../../layers/lora-merge.ts';
import type { LoraPairs } from '../../../layers/lora-pairs.ts';
import { floatWeight } from '../../../layers/matrix-weights.ts';
import type { Factor } from '../../../layers/side-branch.ts';
import type { WeightFormat } from '../../../layers/weight-format.ts';
import { type BlockRows, type WeightMatrix, weightMatrix } from '../../../layers/weight-product.ts';
import type { DecoderSettings } from './settings.ts';
import type { LinearName, NormRole, TensorNames } from './tensor-names.ts';

/** Where a decoder's weights come from, and how they are to be kept. */
export interface WeightSource {
  readonly tensors: TensorSource;
  readonly names: TensorNames;
  readonly packed: boolean;
  /** Rotated dimensions of a head are neighbours in the source; the graphs want them half a head apart. */
  readonly pairs: boolean;
  readonly normsAroundZero: boolean;
  readonly format: WeightFormat;
  readonly lora: { readonly pairs: LoraPairs; readonly mergedScale: number | null } | null;
}

/** Linear layers that one product computes side by side. */
export interface LinearGroup {
  readonly matrix: WeightMatrix;
  readonly bias: { readonly name: string; readonly weight: Weight } | null;
  readonly change: Factor | null;
}

interface Part {
  readonly name: LinearName;
  readonly outputs: number;
  /** Whether its outputs are rotated, and so may lie in pairs. */
  readonly rotated?: boolean;
}

interface PlacedPart extends Part {
  /** Its first output among those of the group. */
  readonly first: number;
}

type RowOrder = (row: number) => number;

/** A decoder's weights by what they do, whatever the source calls them and however it packs them. */
export class DecoderWeights {
  readonly settings: DecoderSettings;
  /** [vocabulary, hidden]. */
  readonly table: LazyTensor;
  readonly #source: WeightSource;

  /** Throws `tensor-missing` or `shape-mismatch`. */
  constructor(settings: DecoderSettings, source: WeightSource) {
    this.settings = settings;
    this.#source = source;
    const table = source.tensors.tensor(`${source.names.table}.weight`);
    this.table = expectShape(table, [table.shape[0] ?? 0, settings.hidden]);
    const reach = source.lora?.pairs.layers ?? 0;
    if (reach > settings.layers)
      throw shapeMismatch(`The LoRA reaches to layer ${reach - 1}, and the model has ${settings.layers}`);
  }

  get vocabulary(): number {
    return this.table.shape[0] ?? 0;
  }

  tableMatrix(): WeightMatrix {
    return this.#whole('token_embd', this.table);
  }

  /** Models with tied embeddings have no matrix of their own: then it is the table. */
  outputMatrix(): WeightMatrix {
    const { tensors, names } = this.#source;
    const name = `${names.output}.weight`;
    const tied = this.settings.tied ?? !tensors.has(name);
    if (tied) return this.tableMatrix();
    return this.#whole('output', expectShape(tensors.tensor(name), [this.vocabulary, this.settings.hidden]));
  }

  finalNorm(): { name: string; weight: Weight } {
    return this.#norm('output_norm', this.#source.names.finalNorm, this.settings.hidden);
  }

  norm(layer: number, role: NormRole): { name: string; weight: Weight } {
    const width = role === 'query' || role === 'key' ? this.settings.headSize : this.settings.hidden;
    return this.#norm(`blk.${layer}.norm.${role}`, this.#source.names.norm(layer, role), width);
  }

  /** Queries, keys and values, in this order. */
  queryKeyValue(layer: number): LinearGroup {
    const { hidden, heads, kvHeads, headSize } = this.settings;
    const parts: Part[] = [
      { name: 'q_proj', outputs: heads * headSize, rotated: true },
      { name: 'k_proj', outputs: kvHeads * headSize, rotated: true },
      { name: 'v_proj', outputs: kvHeads * headSize },
    ];
    return this.#group(`blk.${layer}.attn_qkv`, layer, hidden, parts, 'qkv_proj');
  }

  attentionOutput(layer: number): LinearGroup {
    const { hidden, heads, headSize } = this.settings;
    const parts = [{ name: 'o_proj', outputs: hidden }] as const;
    return this.#group(`blk.${layer}.attn_output`, layer, heads * headSize, parts);
  }

  /** The width of the feed-forward block's middle. */
  middleWidth(layer: number): number {
    const { packed } = this.#source;
    const [rows = 0] = this.#tensor(layer, packed ? 'gate_up_proj' : 'gate_proj').shape;
    return packed ? Math.floor(rows / 2) : rows;
  }

  gateAndUp(layer: number): LinearGroup {
    const outputs = this.middleWidth(layer);
    const parts = [
      { name: 'gate_proj', outputs },
      { name: 'up_proj', outputs },
    ] as const;
    return this.#group(`blk.${layer}.ffn_gate_up`, layer, this.settings.hidden, parts, 'gate_up_proj');
  }

  down(layer: number): LinearGroup {
    const parts = [{ name: 'down_proj', outputs: this.settings.hidden }] as const;
    return this.#group(`blk.${layer}.ffn_down`, layer, this.middleWidth(layer), parts);
  }

  #group(
    name: string,
    layer: number,
    inputs: number,
    parts: readonly Part[],
    packedName: LinearName | null = null,
  ): LinearGroup {
    const { format, lora } = this.#source;
    const placed = besideOneAnother(parts);
    const outputs = outputsOf(parts);
    const packed: PlacedPart[] = packedName === null ? [] : [{ name: packedName, first: 0, outputs }];
    const changes = lora === null ? [] : loraParts(lora.pairs, layer, [...placed, ...packed], inputs);
    const stored = placed.map((part) => this.#rows(layer, part, inputs, packed[0]));
    const scale = lora?.mergedScale ?? null;
    const bias = this.#bias(name, layer, placed, packed[0]);
    if (scale !== null && changes.length > 0) {
      const rows = stored.map((part, i) => merged(part, placed[i]?.first ?? 0, changes, scale));
      return { matrix: weightMatrix(name, rows, rounded(stored, format)), bias, change: null };
    }
    const branch = `blk.${layer}.lora.${changes.map((part) => part.name).join('.')}`;
    const change = loraFactor(branch, changes, lora?.pairs.rank ?? 0, inputs, outputs);
    return { matrix: weightMatrix(name, stored, format), bias, change };
  }

  /** A part's rows, out of their own tensor or out of that which holds all parts. */
  #rows(layer: number, part: PlacedPart, inputs: number, packed: PlacedPart | undefined): BlockRows {
    const order = this.#order(part);
    if (packed === undefined || !this.#source.packed)
      return { tensor: expectShape(this.#tensor(layer, part.name), [part.outputs, inputs]), order };
    const whole = expectShape(this.#tensor(layer, packed.name), [packed.outputs, inputs]);
    return { tensor: whole.rows(part.first, part.outputs), order };
  }

  /** A layer has the biases that the source has; parts without one get zeros. */
  #bias(
    name: string,
    layer: number,
    placed: readonly PlacedPart[],
    packed: PlacedPart | undefined,
  ): LinearGroup['bias'] {
    const { tensors, names } = this.#source;
    const parts = packed !== undefined && this.#source.packed ? [packed] : placed;
    const found = parts.flatMap((part) => {
      const bias = `${names.linear(layer, part.name)}.bias`;
      if (!tensors.has(bias)) return [];
      return [{ part, tensor: expectShape(tensors.tensor(bias), [part.outputs]), order: this.#order(part) }];
    });
    if (found.length === 0) return null;
    const outputs = outputsOf(parts);
    const values = () => {
      const all = new Float32Array(outputs);
      for (const { part, tensor, order } of found) {
        const stored = tensor.float32();
        for (let i = 0; i < part.outputs; i++)
          all[part.first + i] = stored[order === null ? i : order(i)] ?? 0;
      }
      return all;
    };
    return { name: `${name}.bias`, weight: floatWeight(derivedTensor(`${name}.bias`, [outputs], values)) };
  }

  #order(part: Part): RowOrder | null {
    return this.#source.pairs && part.rotated === true ? halvesFromPairs(this.settings.headSize) : null;
  }

  #whole(name: string, tensor: LazyTensor): WeightMatrix {
    // Four bits are too few for the token table and for logits, where every row counts by itself.
    const { format } = this.#source;
    return weightMatrix(name, [{ tensor, order: null }], format === 'q4' ? 'q8' : format);
  }

  #norm(name: string, path: string, width: number): { name: string; weight: Weight } {
    const stored = expectShape(this.#source.tensors.tensor(`${path}.weight`), [width]);
    if (!this.#source.normsAroundZero) return { name, weight: floatWeight(stored) };
    const values = () => stored.float32().map((value) => 1 + value);
    return { name, weight: floatWeight(derivedTensor(stored.name, stored.shape, values)) };
  }

  #tensor(layer: number, name: LinearName): LazyTensor {
    const { tensors, names } = this.#source;
    return tensors.tensor(`${names.linear(layer, name)}.weight`);
  }
}

function outputsOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { outputs }) => sum + outputs, 0);
}

function besideOneAnother(parts: readonly Part[]): PlacedPart[] {
  return parts.map((part, i) => ({ ...part, first: outputsOf(parts.slice(0, i)) }));
}

/**
 * GGUF stores the rows of a llama head so that rotated dimensions are neighbours; the split-half form wants dimension i beside
 * i + headSize/2. Gives the file's row for a row in split-half order.
 */
export function halvesFromPairs(headSize: number): RowOrder {
  const half = headSize / 2;
  return (row) => {
    const within = row % headSize;
    return row - within + 2 * (within % half) + Math.floor(within / half);
  };
}

/** 8 bits where the file had blocks: what is added to does not lie on their levels any more. */
function rounded(stored: readonly BlockRows[], format: WeightFormat): WeightFormat {
  return format === 'keep' && stored.some(({ tensor }) => tensor.type.startsWith('Q')) ? 'q8' : format;
}

/** A part's rows with the LoRA added: its outputs start at `first` of the group, in the order of the graphs. */
function merged(rows: BlockRows, first: number, changes: readonly LoraPart[], scale: number): BlockRows {
  const [count = 0] = rows.tensor.shape;
  const outputs = new Int32Array(count);
  for (let row = 0; row < count; row++) outputs[rows.order === null ? row : rows.order(row)] = first + row;
  const own = changes.filter((part) => part.first < first + count && part.first + part.outputs > first);
  return {
    ...rows,
    tensor: mergedTensor({ tensor: rows.tensor, output: (row) => outputs[row] ?? 0 }, own, scale),
  };
}
