import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Target } from '../../graph/target.ts';
import type { LinearKind } from '../../layers/linear.ts';

export interface EncoderFacts {
  readonly hidden: number;
  readonly framesPerSecond: number;
}

export interface AdaptorRequest {
  /** The file may hold other modules too: an adaptor finds its own by their names. */
  readonly weights: TensorSource;
  /** The parsed configuration beside the weights, {} where there is none: foreign, to be checked with zod. */
  readonly config: object;
  /** What the recipe says of this adaptor beyond `architecture`, `from` and `config`: foreign as well. */
  readonly options: object;
  readonly encoder: EncoderFacts;
  readonly secondEncoder: EncoderFacts | null;
  /** The LLM to be spoken to, its token table [vocabulary, hidden] included; null in a recipe without one. */
  readonly llm: { readonly hidden: number; readonly embeddings: LazyTensor } | null;
  /** The whole Whisper that the encoder is a part of, under CTranslate2's names; null or left out where it is none, or has no decoder. */
  readonly whisper?: TensorSource | null;
  readonly kind: LinearKind;
  readonly target: Target;
}

export interface BuiltAdaptor {
  /**
   * `encoder` f32 [1, frames, d], and `secondEncoder` f32 [1, frames of its own, d2] where two are read → `adaptor` f32
   * [1, tokens, hidden], and `labels` i64 [1, tokens] where it has a CTC head.
   */
  readonly graph: Graph;
  readonly hidden: number;
  /** Encoder frames to a token, for how a clip is padded; 1 where any number of frames will do. */
  readonly stack: number;
  /** Tokens that sound of a length becomes, for estimates: the rate, or a fixed number whatever the length. */
  readonly tokens: { readonly perSecond: number } | { readonly fixed: number };
  /** `ctc-compress`: of the tokens, which may be fewer or more than frames, the LLM reads those whose label is new and no blank. */
  readonly selection: 'all' | 'ctc-compress';
  /** LLM token of label i + 1; empty without a CTC head. */
  readonly ctcTokens: readonly number[];
  /**
   * The matrices [out, in] that the sound passes through, in their order, for a look at their singular values; those of convolutions
   * are [out, in, kernel]. One alone is the whole alignment. The graph's weights have their names, or names that begin with them.
   */
  readonly matrices: readonly LazyTensor[];
}

/** A family of adaptors between encoder and LLM: everything that it takes to build one is in its file. */
export interface AdaptorArchitecture {
  /** As recipes name it. */
  readonly name: string;
  /** Throws `ModelError`, naming the tensor or the field that does not fit. */
  build(request: AdaptorRequest): BuiltAdaptor;
}
