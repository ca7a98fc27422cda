import type { BundleManifest } from '../../bundles/manifest.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Target } from '../../graph/target.ts';
import type { WeightFormat } from '../../layers/weight-format.ts';

export type { WeightFormat };

export interface LoraRequest {
  /** Names of the project's own adaptors, of PEFT, or of a checkpoint that holds more than the LoRA. */
  readonly tensors: TensorSource;
  readonly rank: number;
  readonly alpha: number;
  /** Added to the weights once and for all, instead of a branch with a dial. */
  readonly merged: boolean;
}

export interface LlmRequest {
  /** A GGUF file, or the safetensors or PyTorch weights of a Hugging Face folder. */
  readonly weights: TensorSource;
  /** Where its config.json, tokenizer.json, tokenizer.model… lie; a GGUF file brings its own. */
  readonly sourceFolder: string;
  /** As the recipe names it; null to read it off the weights. */
  readonly architecture: string | null;
  readonly lora: LoraRequest | null;
  readonly quantize: WeightFormat;
  /** What the graph beside the CPU's is made for. */
  readonly target: Target;
  /** Where the files go; it must exist. */
  readonly folder: string;
}

export interface BuiltLlm {
  readonly llm: NonNullable<BundleManifest['llm']>;
  /** Jinja, from the weights' own files; empty when they have none. */
  readonly chatTemplate: string;
  /** The token table [vocabulary, hidden], as the LLM adds it up: scaled where the family scales it. */
  readonly embeddings: LazyTensor;
}
