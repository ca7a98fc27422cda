import type { StreamedTensor } from '../../formats/safetensors-stream.ts';
import { planAdaptor } from '../adaptor-part.ts';
import { planEncoder } from '../encoder-part.ts';
import { planRecipeLlm } from '../llm-part.ts';
import type { BundleManifest } from '../manifest.ts';
import type { Recipe } from '../recipe.ts';
import { adaptorSettings, encoderSettings } from '../settings.ts';
import type { RecipeSources } from '../sources.ts';
import { type AudioTower, audioTower } from './audio-tower.ts';
import { commonType } from './exported-tensor.ts';
import { modelCard } from './model-card.ts';
import { type Projector, projectorOf } from './projector.ts';
import { notExportable } from './refused.ts';
import { audioPlaceholder, type TextFiles, textFiles } from './text-files.ts';
import { type TextModel, textModel } from './text-model.ts';

/** All that will be written, found and checked. */
export interface UltravoxPlan {
  readonly tensors: readonly StreamedTensor[];
  /** The other files by their names: objects are JSON. */
  readonly texts: Readonly<Record<string, string | object>>;
}

/** Where the code lies that transformers has of this layout, and vLLM's processor with it: Ultravox's own, of version 0.5. */
const codeRepository = 'fixie-ai/ultravox-v0_5-llama-3_2-1b';

/** Throws `ModelError`, naming what does not fit. */
export function planUltravox(manifest: BundleManifest, recipe: Recipe, sources: RecipeSources): UltravoxPlan {
  const refused = (fault: string) => notExportable(manifest.id, fault);
  const { encoder, adaptor, llm, lora } = recipe;
  if (encoder === undefined || adaptor === undefined || llm === undefined)
    throw refused('its recipe lacks an encoder, an adaptor or a language model');
  // As for a build: what does not fit together is named before anything is written.
  const plannedEncoder = planEncoder(encoder, recipe, sources);
  planAdaptor(recipe, adaptor, plannedEncoder.built, null, planRecipeLlm(recipe, sources, ''), sources);

  const { architecture: _, from: heardFrom, ...heardOptions } = encoder;
  const heardWeights = sources.weights(heardFrom);
  const heardConfig = encoderSettings(sources.path(heardFrom), heardWeights);
  refuseBlocks({ ...heardConfig, ...heardOptions }, refused);
  const tower = audioTower(heardWeights, heardConfig);

  const { architecture, from, config, tailSeconds: _tail, unitSamples: _unit, ...options } = adaptor;
  const weights = sources.weights(from);
  const named = config === undefined ? null : sources.path(config);
  const projector = projectorOf({
    ...{ architecture, weights, options, refused },
    config: adaptorSettings(sources.path(from), named, weights),
    heard: plannedEncoder.built.hidden,
  });
  const spoken = textModel({ llm, lora }, sources, refused);
  const files = textFiles(spoken.text, manifest);
  const tensors = [...tower.tensors, ...projector.tensors, ...spoken.tensors];
  const type = commonType(tensors);
  const card = modelCard({ manifest, type, loraMerged: lora !== undefined });
  return { tensors, texts: textsOf({ tower, projector, spoken, files, type, card }) };
}

/** vLLM's audio tower hears the whole clip: frames that must not see what comes after their block have no place there. */
function refuseBlocks(
  settings: { readonly blockFrames?: unknown; readonly audio_latency_block_size?: unknown },
  refused: (fault: string) => Error,
): void {
  const { blockFrames, audio_latency_block_size: trained } = settings;
  if ((blockFrames === undefined ? trained : blockFrames) != null)
    throw refused('its encoder hears a clip block by block');
}

interface Parts {
  readonly tower: AudioTower;
  readonly projector: Projector;
  readonly spoken: TextModel;
  readonly files: TextFiles;
  readonly type: string;
  readonly card: string;
}

function textsOf({ tower, projector, spoken, files, type, card }: Parts): UltravoxPlan['texts'] {
  const code = (name: string) => `${codeRepository}--${name}`;
  const processor = { AutoProcessor: code('ultravox_processing.UltravoxProcessor') };
  const { stack, width, activation, normsMiddle } = projector;
  return {
    'config.json': {
      model_type: 'ultravox',
      architectures: ['UltravoxModel'],
      auto_map: {
        AutoConfig: code('ultravox_config.UltravoxConfig'),
        AutoModel: code('ultravox_model.UltravoxModel'),
        ...processor,
      },
      audio_model_id: null,
      text_model_id: null,
      audio_config: { ...tower.config, torch_dtype: type },
      text_config: { ...spoken.config, torch_dtype: type },
      audio_token_index: files.audioToken,
      hidden_size: width,
      ignore_index: -100,
      initializer_range: 0.02,
      norm_init: 0.4,
      pad_token_id: files.padToken,
      projector_act: activation,
      projector_ln_mid: normsMiddle,
      stack_factor: stack,
      tie_word_embeddings: spoken.config.tie_word_embeddings,
      torch_dtype: type,
      vocab_size: spoken.vocabulary,
    },
    'preprocessor_config.json': {
      ...tower.features,
      processor_class: 'UltravoxProcessor',
      auto_map: processor,
    },
    'processor_config.json': {
      processor_class: 'UltravoxProcessor',
      auto_map: processor,
      audio_padding: 'longest',
      audio_placeholder: audioPlaceholder,
      encoder_ds_factor: 2,
      stack_factor: stack,
    },
    'tokenizer.json': files.tokenizer,
    'tokenizer_config.json': files.tokenizerConfig,
    'generation_config.json': files.generationConfig,
    ...(files.chatTemplate !== '' && { 'chat_template.jinja': files.chatTemplate }),
    'README.md': card,
  };
}
