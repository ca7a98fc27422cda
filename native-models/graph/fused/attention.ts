import { float, int } from '../core.ts';
import type { Attribute, Value } from '../definition.ts';
import { agree, dimensionAt, knownDimension, plus, shapeMismatch, shapeText, times } from '../shape.ts';
import { FusedProducts } from './products.ts';

const microsoft = 'com.microsoft';

/** Far below any score, and finite, so that no sum of two becomes a NaN. */
const masked = -1e30;

export interface GroupQueryAttentionInputs {
  /** Queries, keys and values beside one another: [1, S, (heads + 2·kvHeads)·headSize]. */
  readonly qkv: Value;
  /** [1, kvHeads, P, headSize]. */
  readonly pastKey: Value;
  readonly pastValue: Value;
  /** i32 [1]: all positions, new ones included, less one. */
  readonly lastPosition: Value;
  /** i32 scalar: all positions, new ones included. */
  readonly totalLength: Value;
  /**
   * f32 [context, rotated/2]: rotary position embeddings of each head's first `rotated` dimensions; null when queries and keys come
   * rotated.
   */
  readonly cosines: Value | null;
  readonly sines: Value | null;
  readonly heads: number;
  readonly kvHeads: number;
  /** What scores are multiplied by; 1/√headSize by default. */
  readonly scale?: number;
  /** A position sees so many, itself among them (Mistral, Gemma); all before it by default. */
  readonly localWindow?: number;
  /** Scores are bent to `cap · tanh(score / cap)` (Gemma 2). */
  readonly softcap?: number;
}

export interface AttentionOptions {
  /** Added to the scores: [1 or B, 1 or heads, S, T]. */
  readonly bias?: Value;
  /** What scores are multiplied by; 1/√headSize by default. */
  readonly scale?: number;
}

/** Attention in all its forms, and the rotations that go before it. */
export class FusedAttention extends FusedProducts {
  /** Causal attention with grouped keys and values, rotary positions and a cache. */
  groupQueryAttention(given: GroupQueryAttentionInputs): {
    y: Value;
    presentKey: Value;
    presentValue: Value;
  } {
    const { qkv, pastKey, pastValue, cosines, sines, heads, kvHeads } = given;
    const headSize = knownDimension(pastKey.shape, 3, 'GroupQueryAttention');
    agree(
      dimensionAt(qkv.shape, 2, 'GroupQueryAttention'),
      (heads + 2 * kvHeads) * headSize,
      () =>
        `GroupQueryAttention: ${shapeText(qkv.shape)} is not ${heads} + 2 × ${kvHeads} heads of ${headSize}`,
    );
    if (heads % kvHeads !== 0)
      throw shapeMismatch(`GroupQueryAttention: ${heads} heads cannot share ${kvHeads} of keys evenly`);
    if (!this.has('GroupQueryAttention') || !fitsFused(headSize, cosines))
      return this.#groupQueryAttention(given, headSize);
    const length = dimensionAt(qkv.shape, 1, 'GroupQueryAttention');
    const past = dimensionAt(pastKey.shape, 2, 'GroupQueryAttention');
    const present = {
      type: pastKey.type,
      shape: [1, kvHeads, plus(past, length), headSize],
    };
    const state = [pastKey, pastValue, given.lastPosition, given.totalLength];
    const inputs = [qkv, null, null, ...state, cosines, sines];
    const { scale, localWindow, softcap } = given;
    const attributes: Record<string, Attribute> = {
      num_heads: int(heads),
      kv_num_heads: int(kvHeads),
      do_rotary: int(cosines === null ? 0 : 1),
      ...(scale !== undefined && { scale: float(scale) }),
      ...(localWindow !== undefined && { local_window_size: int(localWindow) }),
      ...(softcap !== undefined && { softcap: float(softcap) }),
    };
    const attended = { type: qkv.type, shape: [1, length, heads * headSize] };
    const outputs = [attended, present, present] as const;
    const [y, presentKey, presentValue] = this.op(
      microsoft,
      'GroupQueryAttention',
      inputs,
      attributes,
      outputs,
    );
    return { y, presentKey, presentValue };
  }

  /**
   * Rotates heads laid side by side, x [1, S, heads·headSize], in the split-half form; `first`: int64 [1], position of the first;
   * tables [positions, rotated/2]. Dimensions of a head behind `rotated` stay; by default there are none.
   */
  rotaryEmbedding(
    x: Value,
    first: Value,
    cosines: Value,
    sines: Value,
    headSize = 2 * knownDimension(cosines.shape, 1, 'RotaryEmbedding'),
  ): Value {
    const rotated = 2 * knownDimension(cosines.shape, 1, 'RotaryEmbedding');
    const heads = knownDimension(x.shape, -1, 'RotaryEmbedding') / headSize;
    if (!Number.isInteger(heads) || rotated > headSize)
      throw shapeMismatch(
        `RotaryEmbedding: ${shapeText(x.shape)} has no heads of ${headSize} to turn ${rotated} dimensions of`,
      );
    if (!this.has('RotaryEmbedding'))
      return this.#rotaryEmbedding(x, { first, cosines, sines, headSize, rotated });
    const partly = { num_heads: int(heads), rotary_embedding_dim: int(rotated) };
    const inputs = [x, first, cosines, sines];
    const [y] = this.op(microsoft, 'RotaryEmbedding', inputs, rotated === headSize ? {} : partly, [x]);
    return y;
  }

  /** Attention of queries [B, S, hidden] over keys and values, both [B, T, hidden] or both [B, heads, T, headSize]. */
  multiHeadAttention(
    query: Value,
    key: Value,
    value: Value,
    heads: number,
    { bias, scale }: AttentionOptions = {},
  ): Value {
    const hidden = knownDimension(query.shape, -1, 'MultiHeadAttention');
    const headSize = hidden / heads;
    const inner = dimensionAt(key.shape, -1, 'MultiHeadAttention');
    if (!Number.isInteger(headSize) || inner !== (key.shape.length === 4 ? headSize : hidden))
      throw shapeMismatch(
        `MultiHeadAttention: ${heads} heads of ${shapeText(query.shape)} do not look at ${shapeText(key.shape)}`,
      );
    if (this.has('MultiHeadAttention')) {
      const inputs = [query, key, value, null, null, bias ?? null];
      const attributes = { num_heads: int(heads), ...(scale !== undefined && { scale: float(scale) }) };
      const [y] = this.op(microsoft, 'MultiHeadAttention', inputs, attributes, [query]);
      return y;
    }
    const byHead = (x: Value) =>
      x.shape.length === 4 ? x : this.transpose(this.reshape(x, [0, 0, heads, headSize]), [0, 2, 1, 3]);
    const scores = this.matMulTransposed(byHead(query), byHead(key), scale ?? 1 / Math.sqrt(headSize));
    const weights = this.softmax(bias === undefined ? scores : this.add(scores, bias), -1);
    const attended = this.transpose(this.matMul(weights, byHead(value)), [0, 2, 1, 3]);
    return this.reshape(attended, [0, 0, hidden]);
  }

  #groupQueryAttention(given: GroupQueryAttentionInputs, headSize: number) {
    const { qkv, pastKey, heads, kvHeads, cosines, sines, softcap } = given;
    const added = this.shared(`length.${qkv.name}`, () => this.shapeOf(qkv, 1, 2));
    const past = this.shared(`length.${pastKey.name}`, () => this.shapeOf(pastKey, 2, 3));
    const rotated = (heads + kvHeads) * headSize;
    const [unrotated, newValue] = this.split(qkv, [rotated, kvHeads * headSize], -1);
    const queryAndKey =
      cosines === null || sines === null
        ? unrotated
        : this.rotaryEmbedding(unrotated, past, cosines, sines, headSize);
    /** [1, S, count·headSize] → [count, S, headSize]. */
    const byHead = (x: Value, count: number) =>
      this.transpose(this.reshape(x, [-1, count, headSize]), [1, 0, 2]);
    const [query, newKey] = this.split(byHead(queryAndKey, heads + kvHeads), [heads, kvHeads], 0);
    const grown = (cache: Value, rows: Value) => this.concat([cache, this.unsqueeze(rows, 0)], 2);
    const presentKey = grown(pastKey, newKey);
    const presentValue = grown(given.pastValue, byHead(newValue, kvHeads));
    // Heads that share a key stand below one another: one product for all of them.
    const grouped = this.reshape(query, [kvHeads, -1, headSize]);
    const scale = given.scale ?? 1 / Math.sqrt(headSize);
    const scores = this.matMulTransposed(grouped, this.squeeze(presentKey, 0), scale);
    const bent = softcap === undefined ? scores : this.#softcapped(scores, softcap);
    const length = dimensionAt(qkv.shape, 1, 'GroupQueryAttention');
    const total = plus(dimensionAt(pastKey.shape, 2, 'GroupQueryAttention'), length);
    const totalSize = this.add(past, added);
    const group = heads / kvHeads;
    const unfolded = this.concat([this.int64s([kvHeads, group]), added, totalSize], 0);
    const byPosition = this.reshapeTo(bent, unfolded, [kvHeads, group, length, total]);
    const mask = this.#causalMask(past, added, given.localWindow);
    const folded = this.concat([this.int64s([kvHeads, -1]), totalSize], 0);
    const weights = this.softmax(this.add(byPosition, mask), -1);
    const flat = this.reshapeTo(weights, folded, [kvHeads, times(length, group), total]);
    const attended = this.reshape(this.matMul(flat, this.squeeze(presentValue, 0)), [heads, -1, headSize]);
    const y = this.reshape(this.transpose(attended, [1, 0, 2]), [1, -1, heads * headSize]);
    return { y, presentKey, presentValue };
  }

  #softcapped(scores: Value, cap: number): Value {
    const limit = this.constant(scores.type, [], [cap]);
    return this.mul(this.tanh(this.div(scores, limit)), limit);
  }

  /** f32 [S, P+S]: zero where a position may look, far below elsewhere. */
  #causalMask(past: Value, added: Value, window: number | undefined): Value {
    return this.shared(`mask.${past.name}.${added.name}.${window}`, () => {
      const total = this.add(past, added);
      const keys = this.range(total, 'P+S');
      const queries = this.unsqueeze(this.rangeFrom(past, total, 'S'), 1);
      const later = this.greater(keys, queries);
      const tooFar = (size: number) => this.lessOrEqual(keys, this.sub(queries, this.int64s([size])));
      const hidden = window === undefined ? later : this.or(later, tooFar(window));
      const number = (value: number) => this.constant('float32', [], [value]);
      return this.where(hidden, number(masked), number(0));
    });
  }

  #rotaryEmbedding(
    x: Value,
    given: { first: Value; cosines: Value; sines: Value; headSize: number; rotated: number },
  ): Value {
    const { first, cosines, sines, headSize, rotated } = given;
    const length = dimensionAt(x.shape, 1, 'RotaryEmbedding');
    const end = () =>
      this.add(
        first,
        this.shared(`length.${x.name}`, () => this.shapeOf(x, 1, 2)),
      );
    const rowsOf = (table: Value) =>
      this.shared(`rows.${table.name}.${first.name}.${length}`, () =>
        this.unsqueeze(this.sliceAt(table, 0, first, end(), length), 1),
      );
    const width = knownDimension(x.shape, -1, 'RotaryEmbedding');
    const inHeads = this.reshape(x, [0, 0, width / headSize, headSize]);
    const sizes = [rotated / 2, rotated / 2, ...(headSize > rotated ? [headSize - rotated] : [])];
    const [left, right, ...rest] = this.split(inHeads, sizes, -1);
    if (left === undefined || right === undefined) throw shapeMismatch('RotaryEmbedding: nothing to turn');
    const [cos, sin] = [rowsOf(cosines), rowsOf(sines)];
    const turned = [
      this.sub(this.mul(left, cos), this.mul(right, sin)),
      this.add(this.mul(right, cos), this.mul(left, sin)),
      ...rest,
    ];
    return this.reshape(this.concat(turned, -1), [0, 0, width]);
  }
}

/** ONNX Runtime's own operator takes heads of sixteens, rotated by sixteens. */
function fitsFused(headSize: number, cosines: Value | null): boolean {
  const half = cosines === null ? 0 : knownDimension(cosines.shape, 1, 'GroupQueryAttention');
  return headSize % 16 === 0 && half % 8 === 0;
}
