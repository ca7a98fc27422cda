import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import type { LoraPart } from '../../layers/lora.ts';
import { mergedTensor } from '../../layers/lora-merge.ts';
import { whisperSizes } from '../encoders/whisper-sizes.ts';

/** A matrix of a layer of Whisper's decoder, by CTranslate2's name, and the linear layers whose rows it holds, in PyTorch's names. */
const matrices: readonly (readonly [matrix: string, layers: readonly string[]])[] = [
  ['self_attention/linear_0', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']],
  ['self_attention/linear_1', ['self_attn.out_proj']],
  ['attention/linear_0', ['encoder_attn.q_proj']],
  ['attention/linear_1', ['encoder_attn.k_proj', 'encoder_attn.v_proj']],
  ['attention/linear_2', ['encoder_attn.out_proj']],
  ['ffn/linear_0', ['fc1']],
  ['ffn/linear_1', ['fc2']],
];

/**
 * Whisper with the LoRA of its decoder added to its matrices, for a graph of its own: `decoder.layers.N.….A` [rank, inputs] and
 * `.B` [outputs, rank] of `adaptor`, scaled with alpha / rank (LoRA, section 4.1). Throws `tensor-missing` and `shape-mismatch`.
 */
export function changedDecoder(
  whisper: TensorSource,
  adaptor: TensorSource,
  { rank, alpha }: { rank: number; alpha: number },
): TensorSource {
  const changed = new Map<string, LazyTensor>();
  for (let layer = 0; layer < whisperSizes(whisper).decoderLayers; layer++)
    for (const [matrix, layers] of matrices) {
      const name = `decoder/layer_${layer}/${matrix}/weight`;
      const tensor = whisper.tensor(name);
      const parts = partsOf(adaptor, `decoder.layers.${layer}`, layers, tensor.shape, rank);
      changed.set(name, mergedTensor({ tensor, output: (row) => row }, parts, alpha / rank));
    }
  return {
    names: () => whisper.names(),
    has: (name) => whisper.has(name),
    tensor: (name) => changed.get(name) ?? whisper.tensor(name),
  };
}

function partsOf(
  adaptor: TensorSource,
  at: string,
  layers: readonly string[],
  [rows = 0, inputs = 0]: readonly number[],
  rank: number,
): LoraPart[] {
  const outputs = rows / layers.length;
  return layers.map((name, i) => ({
    ...{ name, outputs, first: i * outputs },
    a: expectShape(adaptor.tensor(`${at}.${name}.A`), [rank, inputs]),
    b: expectShape(adaptor.tensor(`${at}.${name}.B`), [outputs, rank]),
  }));
}
