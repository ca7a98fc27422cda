import type { ConfigFields } from '../../formats/config-fields.ts';
import type { GgufFields } from './decoder/gguf-settings.ts';
import type { DecoderSettings } from './decoder/settings.ts';
import type { FolderNames } from './decoder/tensor-names.ts';

/**
 * A family of language models: its names, its settings read from either kind of source, and where its weights differ from
 * LLaMA's. Everything that it takes to build one is in its file.
 */
export interface LlmFamily {
  /** As recipes and manifests name it, and `general.architecture` of GGUF files. */
  readonly name: string;
  /** `model_type` of config.json. */
  readonly modelTypes: readonly string[];
  /** Throws `ModelError`, naming the field. */
  fromConfig(config: ConfigFields): DecoderSettings;
  /** Throws `ModelError`, naming the metadata entry. */
  fromGguf(fields: GgufFields): DecoderSettings;
  /** Names in a Hugging Face folder that are not LLaMA's. */
  readonly folderNames: Partial<FolderNames>;
  /** Queries, keys and values in one tensor, and gates above what they gate. */
  readonly packed: boolean;
  /** Whether GGUF files keep rotated dimensions as neighbours (llama.cpp's `NORM` rotation), not half a head apart. */
  readonly ggufPairs: boolean;
  /** Whether folders keep norms as what is added to one. GGUF files have it added. */
  readonly normsAroundZero: boolean;
}
