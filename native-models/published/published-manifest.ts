import { basename, resolve } from 'node:path';
import { type BundleManifest, bundleIdSchema, manifestVersion } from '../bundles/manifest.ts';
import { fileBytes } from './files.ts';
import type { PublishedBundle } from './open-published.ts';

const textFiles = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'processor_config.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
];

/**
 * A published bundle as a manifest, so that whatever lists, shows or chooses bundles takes it for one. Its graphs are none of the
 * foundry's: the engine runs them by what they say of themselves, and no file has a hash to be compared with.
 */
export function publishedManifest(bundle: PublishedBundle): BundleManifest {
  const { contextLength, generation, hearing, title } = bundle;
  const name = basename(resolve(bundle.folder));
  return {
    manifest: manifestVersion,
    id: idOf(name),
    name,
    summary: `${title} as published for transformers.js, ${bundle.decoder.dtype}`,
    licence: '',
    languages: [],
    capabilities: bundle.transcribe === null ? ['chat'] : ['chat', 'transcribe'],
    preferredEngine: 'speech-llm',
    features: hearing.settings,
    encoder: encoderOf(bundle),
    secondEncoder: null,
    adaptor: null,
    llm: llmOf(bundle),
    whisper: null,
    prompt: {
      chatTemplate: bundle.chatTemplate,
      templateOf: 'llm',
      system: '',
      audio: { before: hearing.before, after: hearing.after },
      tasks: bundle.transcribe === null ? {} : { transcribe: bundle.transcribe },
    },
    generation: {
      maxTokens: Math.min(generation.max_new_tokens ?? 512, contextLength >> 1),
      temperature: generation.do_sample === true ? (generation.temperature ?? 1) : 0,
      topP: generation.top_p ?? 1,
      repetitionPenalty: generation.repetition_penalty ?? 1,
      beams: 1,
    },
    figures: [],
    provenance: [],
    files: filesOf(bundle),
  };
}

/** Encoder and adaptor in one graph: it gives vectors in the LLM's space. */
function encoderOf({ audioEncoder, layout, hearing, title }: PublishedBundle) {
  const { rate, windowSamples } = hearing;
  return {
    architecture: title,
    graph: audioEncoder.path,
    hidden: layout.hidden,
    maxPositions: null,
    framesPerSecond: 'fixed' in rate ? (rate.fixed * 16_000) / windowSamples : rate.perSecond,
    unitSamples: 1,
    ctcLabels: null,
  };
}

function llmOf(bundle: PublishedBundle) {
  const { config, contextLength, bosToken, eosTokens, embedTokens, decoder, layout, vocabulary } = bundle;
  const text = config.text_config;
  // Layers that share keys and values with others keep none: what counts for memory is those that do.
  const { heads: kvHeads = 1, headSize = 1 } = layout.pasts[0] ?? {};
  return {
    architecture: text.model_type ?? config.model_type,
    embedGraph: embedTokens.path,
    rowsGraph: decoder.path,
    rowsType: 'float32' as const,
    deviceGraph: decoder.path,
    layers: layout.pasts.length >> 1,
    hidden: layout.hidden,
    heads: text.num_attention_heads ?? Math.max(kvHeads, Math.floor(layout.hidden / headSize)),
    kvHeads,
    headSize,
    vocabulary,
    contextLength,
    tokenizer: 'tokenizer.json',
    bosToken,
    eosTokens: [...eosTokens],
    slidingWindow: null,
    lora: null,
  };
}

/** An installed folder's name is its id already. */
function idOf(name: string): string {
  if (bundleIdSchema.safeParse(name).success) return name;
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return plain.slice(0, 64) || 'published';
}

function filesOf(bundle: PublishedBundle): BundleManifest['files'] {
  const graphs = [
    { part: 'encoder', ...bundle.audioEncoder },
    { part: 'llm', ...bundle.embedTokens },
    { part: 'llm', ...bundle.decoder },
  ] as const;
  const listed = graphs.flatMap(({ part, path, externalData }) =>
    [path, ...externalData].map((file) => ({ path: file, part })),
  );
  return [...listed, ...textFiles.map((path) => ({ path }))].flatMap((file) => {
    const bytes = fileBytes(bundle.folder, file.path);
    return bytes === null ? [] : [{ ...file, bytes, sha256: '' }];
  });
}
