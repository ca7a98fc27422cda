import type { Value } from '../../../graph/definition.ts';
import type { Graph } from '../../../graph/graph.ts';
import { type AttentionKind, type KeysAndValues, rowsAttention } from '../../../layers/rows-attention.ts';
import type { DecoderSettings } from './settings.ts';

/**
 * How a decoder hands its keys and values on. `rows`: caches of a fixed capacity come in, only the new rows go out, all layers in
 * one output; `device`: past and present for each layer, so that they can stay where they are.
 */
export type DecoderForm = 'rows' | 'device';

export interface AttentionInputs {
  readonly embeddings: Value;
  readonly lastPosition: Value;
  readonly totalLength: Value;
  pastOf(layer: number): KeysAndValues;
}

/** How a run's positions look at one another and at the past. */
export interface AttentionForm {
  /**
   * qkv f32 [1, S, (heads + 2·kvHeads)·headSize] → [1, S, heads·headSize]; keeps the layer's keys and values. `normed` changes
   * queries and keys, [1, S, (heads + kvHeads)·headSize], before they are rotated.
   */
  attend(
    layer: number,
    qkv: Value,
    kind: AttentionKind,
    normed: ((queryAndKey: Value) => Value) | null,
  ): Value;
  /** Adds the outputs that hold what was kept. */
  finish(): void;
}

/** Caches of a fixed capacity come in and stay; the new rows of all layers go out together. */
export function rowsForm(g: Graph, settings: DecoderSettings, inputs: AttentionInputs): AttentionForm {
  const { layers, kvHeads, headSize } = settings;
  const attendOver = rowsAttention(g, settings, { ...inputs, cache: inputs.pastOf(0).key });
  const kept: Value[] = [];
  return {
    attend(layer, qkv, kind, normed) {
      const [plain, value] = parted(g, settings, qkv);
      const { y, rows } = attendOver(normed?.(plain) ?? plain, value, inputs.pastOf(layer), kind);
      kept.push(rows.key, rows.value);
      return y;
    },
    finish: () => g.output('rows', g.concat(kept, 0), [2 * layers, kvHeads, 'S', headSize]),
  };
}

/** Each layer's cache comes in and goes out, longer by the run's positions. */
export function deviceForm(g: Graph, settings: DecoderSettings, inputs: AttentionInputs): AttentionForm {
  const { heads, kvHeads } = settings;
  const { lastPosition, totalLength } = inputs;
  const present: Array<{ name: string; value: Value }> = [];
  const packed = (qkv: Value, normed: (queryAndKey: Value) => Value) => {
    const [plain, value] = parted(g, settings, qkv);
    return g.concat([normed(plain), value], -1);
  };
  return {
    attend(layer, qkv, { rotary, window, scale }, normed) {
      const past = inputs.pastOf(layer);
      const { y, presentKey, presentValue } = g.groupQueryAttention({
        ...{ qkv: normed === null ? qkv : packed(qkv, normed), heads, kvHeads, lastPosition, totalLength },
        ...{ pastKey: past.key, pastValue: past.value, scale },
        ...{ cosines: rotary?.cosines ?? null, sines: rotary?.sines ?? null },
        ...(window !== null && { localWindow: window }),
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

function parted(g: Graph, { heads, kvHeads, headSize }: DecoderSettings, qkv: Value): [Value, Value] {
  return g.split(qkv, [(heads + kvHeads) * headSize, kvHeads * headSize] as const, -1) as [Value, Value];
}
