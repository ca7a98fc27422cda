import { describe, expect, it } from 'vitest';
import { decoderLayout, rowWidth } from '../../../native-models/published/decoder-layout.ts';
import type { GraphPort } from '../../../native-models/published/runnable-graph.ts';

const port = (name: string, shape: GraphPort['shape'], type: GraphPort['type'] = 'float32'): GraphPort => ({
  name,
  type,
  shape,
});
const vectors = port('inputs_embeds', ['batch', 'sequence', 64]);
const mask = port('attention_mask', ['batch', 'total'], 'int64');
const pasts = ['key', 'value'].map((part) =>
  port(`past_key_values.0.${part}`, ['batch', 3, 'past', 24], 'float16'),
);
const presents = ['key', 'value'].map((part) =>
  port(`present.0.${part}`, ['batch', 3, 'total', 24], 'float16'),
);

describe('the layout of a decoder graph', () => {
  it('is read from its inputs: heads, sizes, types, and what it wants to be told', () => {
    const layout = decoderLayout([vectors, mask, ...pasts], presents);
    expect(layout).toMatchObject({
      hidden: 64,
      vectors: 'float32',
      perLayer: null,
      attentionMask: 'int64',
      positionIds: null,
      logitsToKeep: null,
    });
    expect(layout.pasts[1]).toEqual({
      name: 'past_key_values.0.value',
      present: 'present.0.value',
      type: 'float16',
      heads: 3,
      headSize: 24,
    });
  });

  it('counts what goes with every position beside its vector', () => {
    const perLayer = port('per_layer_inputs', ['batch', 'sequence', 30, 256]);
    expect(rowWidth(decoderLayout([vectors, perLayer, ...pasts], presents))).toBe(64 + 30 * 256);
  });

  it('names inputs that nobody would fill', () => {
    expect(() => decoderLayout([vectors, ...pasts, port('cross_states', [1, 2])], presents)).toThrow(
      /inputs that are not known: cross_states/,
    );
  });

  it('refuses a graph without vectors, without keys and values, or that does not give them back', () => {
    expect(() => decoderLayout([mask, ...pasts], presents)).toThrow(/takes no inputs_embeds/);
    expect(() => decoderLayout([vectors, mask], presents)).toThrow(/keeps 0 tensors/);
    expect(() => decoderLayout([vectors, ...pasts], presents.slice(1))).toThrow(/gives no present\.0\.key/);
    const shapeless = port('past_key_values.0.key', ['batch', 'heads', 'past', 'size']);
    expect(() => decoderLayout([vectors, shapeless], presents)).toThrow(/how large past_key_values\.0\.key/);
  });
});
