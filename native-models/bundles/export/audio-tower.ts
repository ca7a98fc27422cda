import { whisperEncoderSizes } from '../../architectures/encoders/whisper-sizes.ts';
import { whisperSource } from '../../architectures/encoders/whisper-source.ts';
import type { StreamedTensor } from '../../formats/safetensors-stream.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { exportedTensor } from './exported-tensor.ts';

export interface AudioTower {
  /** `audio_config`: the fields of transformers' WhisperConfig. */
  readonly config: Readonly<Record<string, unknown>>;
  /** preprocessor_config.json: the fields of its WhisperFeatureExtractor. */
  readonly features: Readonly<Record<string, unknown>>;
  readonly tensors: readonly StreamedTensor[];
}

/**
 * A published Whisper whose feature extractor works alike: it depends on the number of mel bands alone. Ultravox's processor fetches
 * it by this name, and its model tells by the name that the audio tower is a Whisper.
 */
const namesakes = { 80: 'openai/whisper-small', 128: 'openai/whisper-large-v3-turbo' } as const;

/** A Whisper's encoder, whoever saved it, under transformers' names and `audio_tower.`. `config` lies beside the weights. */
export function audioTower(weights: TensorSource, config: object): AudioTower {
  const source = whisperSource(weights, config);
  const sizes = whisperEncoderSizes(source);
  const { mels, hidden, heads, encoderLayers, maxPositions } = sizes;
  const layers = Array.from({ length: encoderLayers }, (_, layer) => layerTensors(source, layer, hidden));
  const [wide = 4 * hidden] = source.tensor('encoder/layer_0/ffn/linear_0/weight').shape;
  return {
    config: {
      model_type: 'whisper',
      _name_or_path: namesakes[mels],
      num_mel_bins: mels,
      d_model: hidden,
      encoder_layers: encoderLayers,
      encoder_attention_heads: heads,
      encoder_ffn_dim: wide,
      decoder_layers: encoderLayers,
      decoder_attention_heads: heads,
      decoder_ffn_dim: wide,
      max_source_positions: maxPositions,
      activation_function: 'gelu',
      scale_embedding: false,
    },
    features: featureExtractor(mels, maxPositions),
    tensors: [
      ...convolutionTensors(source),
      ...layers.flat(),
      ...normTensors(source, 'layer_norm', 'layer_norm'),
    ],
  };
}

const sampleRate = 16_000;
const hop = 160;

function featureExtractor(mels: number, maxPositions: number): AudioTower['features'] {
  // Two mel frames become one position.
  const frames = 2 * maxPositions;
  return {
    feature_extractor_type: 'WhisperFeatureExtractor',
    feature_size: mels,
    sampling_rate: sampleRate,
    hop_length: hop,
    n_fft: 400,
    chunk_length: (frames * hop) / sampleRate,
    n_samples: frames * hop,
    nb_max_frames: frames,
    padding_side: 'right',
    padding_value: 0,
    return_attention_mask: false,
  };
}

const tower = (name: string) => `audio_tower.${name}`;

function convolutionTensors(source: TensorSource): StreamedTensor[] {
  const convolutions = ['conv1', 'conv2'].flatMap((name) =>
    ['weight', 'bias'].map((part) =>
      exportedTensor(tower(`${name}.${part}`), source.tensor(`encoder/${name}/${part}`)),
    ),
  );
  const positions = source.tensor('encoder/position_encodings/encodings');
  return [...convolutions, exportedTensor(tower('embed_positions.weight'), positions)];
}

function normTensors(source: TensorSource, from: string, name: string): StreamedTensor[] {
  return [
    exportedTensor(tower(`${name}.weight`), source.tensor(`encoder/${from}/gamma`)),
    exportedTensor(tower(`${name}.bias`), source.tensor(`encoder/${from}/beta`)),
  ];
}

function layerTensors(source: TensorSource, layer: number, hidden: number): StreamedTensor[] {
  const at = (name: string) => tower(`layers.${layer}.${name}`);
  const from = (name: string) => `layer_${layer}/${name}`;
  const part = (name: string) => source.tensor(`encoder/${from(name)}`);
  const both = (name: string, module: string) =>
    ['weight', 'bias'].map((kind) => exportedTensor(at(`${module}.${kind}`), part(`${name}/${kind}`)));
  const third = (tensor: LazyTensor, place: number) => tensor.rows(place * hidden, hidden);
  const attention = ['q_proj', 'k_proj', 'v_proj'].flatMap((name, place) => {
    const weight = third(part('self_attention/linear_0/weight'), place);
    const bias = third(part('self_attention/linear_0/bias'), place);
    const written = [exportedTensor(at(`self_attn.${name}.weight`), weight)];
    // Whisper's keys have no bias: it would add the same to all scores of a query, which softmax takes away again.
    return name === 'k_proj' ? written : [...written, exportedTensor(at(`self_attn.${name}.bias`), bias)];
  });
  return [
    ...normTensors(source, from('self_attention/layer_norm'), `layers.${layer}.self_attn_layer_norm`),
    ...attention,
    ...both('self_attention/linear_1', 'self_attn.out_proj'),
    ...normTensors(source, from('ffn/layer_norm'), `layers.${layer}.final_layer_norm`),
    ...both('ffn/linear_0', 'fc1'),
    ...both('ffn/linear_1', 'fc2'),
  ];
}
