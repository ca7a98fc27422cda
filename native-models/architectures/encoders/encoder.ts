import type { FeatureSettings } from '../../features/feature-settings.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Target } from '../../graph/target.ts';
import type { LinearKind } from '../../layers/linear.ts';

export interface EncoderRequest {
  readonly weights: TensorSource;
  /** The parsed config.json beside the weights, {} where there is none: foreign, to be checked with zod. */
  readonly config: object;
  /** What the recipe says of this encoder beyond `architecture` and `from`: foreign as well. */
  readonly options: object;
  /** The parsed tokenizer.json or vocab.json beside the weights, for what a CTC head's labels mean; null where there is none. */
  readonly tokenizer?: object | null;
  readonly kind: LinearKind;
  readonly target: Target;
}

export interface BuiltEncoder {
  /**
   * `features` f32 [1, mels, frames] → `encoder` f32 [1, positions, hidden], and `ctc` f32 [1, positions, labels] where the
   * encoder was trained with a CTC head.
   */
  readonly graph: Graph;
  readonly features: FeatureSettings;
  readonly hidden: number;
  readonly framesPerSecond: number;
  /** Positions that it can read at once; null where it has no limit. */
  readonly maxPositions: number | null;
  /** Clips are filled with silence to a multiple of this many samples. */
  readonly unitSamples: number;
  /** What the labels of the CTC head stand for, the blank included; null without such a head or without its vocabulary. */
  readonly ctcLabels: readonly string[] | null;
}

/** A family of speech encoders: everything that it takes to build one is in its file. */
export interface EncoderArchitecture {
  /** As recipes name it. */
  readonly name: string;
  /** Throws `ModelError`, naming the tensor or the field that does not fit. */
  build(request: EncoderRequest): BuiltEncoder;
}
