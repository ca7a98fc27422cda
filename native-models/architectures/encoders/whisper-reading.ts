import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { dimensionAt } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import type { LinearKind } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { feedForward, layerNorm, selfAttention } from './whisper.ts';
import { crossAttention, crossKeysAndValues } from './whisper-decoder.ts';
import type { WhisperSizes } from './whisper-sizes.ts';

/** Far below any score, and finite, so that no sum of two becomes a NaN. */
const masked = -1e9;

/**
 * Whisper's decoder (Whisper, section 2.2) once over tokens that are there already: nothing is written, and nothing kept for later.
 * `tokens` f32 [1, S, d] are their embeddings, `encoded` f32 [1, T, d] the encoder's output → f32 [1, S, d], what is expected
 * behind each token: its product with the token table scores the next. `source` has CTranslate2's names.
 */
export function readByWhisper(
  g: Graph,
  source: TensorSource,
  tokens: Value,
  encoded: Value,
  { decoderLayers, hidden, heads, maxTokens }: WhisperSizes,
  kind: LinearKind,
): Value {
  const count = g.shapeOf(tokens, 1, 2);
  const length = dimensionAt(tokens.shape, 1, 'Whisper');
  const name = 'decoder/position_encodings/encodings';
  const positions = g.weight(name, floatWeight(expectShape(source.tensor(name), [maxTokens, hidden])));
  let x = g.add(tokens, g.sliceAt(positions, 0, g.int64s([0]), count, length));
  const places = g.range(count, length);
  const later = g.greater(g.unsqueeze(places, 0), g.unsqueeze(places, 1));
  const number = (value: number) => g.constant('float32', [], [value]);
  const bias = g.unsqueeze(g.unsqueeze(g.where(later, number(masked), number(0)), 0), 0);
  for (let layer = 0; layer < decoderLayers; layer++) {
    const name = `decoder/layer_${layer}`;
    x = g.add(x, selfAttention(g, source, x, name, heads, { kind, bias }));
    const cross = crossKeysAndValues(g, source, encoded, `${name}/attention`, kind);
    x = crossAttention(g, source, x, `${name}/attention`, cross, heads, kind);
    x = feedForward(g, source, x, `${name}/ffn`, kind);
  }
  return layerNorm(g, source, x, 'decoder/layer_norm');
}
