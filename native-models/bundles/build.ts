import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltLlm } from '../architectures/llms/llm.ts';
import { ModelError } from '../errors.ts';
import { planAdaptor, writeAdaptor } from './adaptor-part.ts';
import { type PlannedEncoder, planEncoder, refuseLoneSecondEncoder, writeEncoder } from './encoder-part.ts';
import { filesOf } from './files.ts';
import { writeLlm } from './llm-part.ts';
import { type BundleManifest, builderVersion, bundleManifestSchema, manifestVersion } from './manifest.ts';
import type { BundleCard, Recipe } from './recipe.ts';
import { RecipeSources } from './sources.ts';
import { stageFolder, syncFile } from './staging.ts';
import { buildWhisperDecoder } from './whisper-part.ts';

export type BuildStep = 'sources' | 'encoder' | 'llm' | 'adaptor' | 'hashes';

export interface BuildProgress {
  readonly step: BuildStep;
  /** Steps finished, of all. */
  readonly done: number;
  readonly total: number;
}

export interface BuildRequest {
  readonly recipe: Recipe;
  /** Where the recipe's `from` paths start. */
  readonly recipeFolder: string;
  /** Where a `from`, or a folder that it begins with, lies instead, by its name in the recipe: downloads, for instance. */
  readonly sources?: Readonly<Record<string, string>>;
  /** The bundle's folder: new, empty, or a bundle to be replaced. */
  readonly out: string;
  readonly onProgress?: (progress: BuildProgress) => void;
}

const steps: readonly BuildStep[] = ['sources', 'encoder', 'llm', 'adaptor', 'hashes'];

const plainCard: Omit<BundleCard, 'name' | 'preferredEngine'> = {
  summary: '',
  licence: 'unknown',
  languages: [],
  generation: { maxTokens: 256, temperature: 0, topP: 1, repetitionPenalty: 1, beams: 1 },
  figures: [],
  provenance: [],
};

/**
 * Builds a bundle out of the recipe's weights: graphs, tokenizers, hashes and manifest, put in place all at once when everything
 * is on the disk. Throws `ModelError`; nothing is left behind then.
 */
export async function buildBundle(request: BuildRequest): Promise<BundleManifest> {
  const { recipe, recipeFolder, sources: places, out } = request;
  const sources = new RecipeSources(recipeFolder, places);
  try {
    return await stageFolder(out, (folder) => fill(recipe, sources, folder, request.onProgress));
  } finally {
    sources.close();
  }
}

async function fill(
  recipe: Recipe,
  sources: RecipeSources,
  folder: string,
  onProgress: BuildRequest['onProgress'],
): Promise<BundleManifest> {
  const started = (step: BuildStep) => onProgress?.({ step, done: steps.indexOf(step), total: steps.length });
  started('sources');
  refuseLoneSecondEncoder(recipe);
  await sources.verify(recipe.card?.provenance ?? []);
  const first = recipe.encoder ? planEncoder('encoder', recipe.encoder, recipe, sources) : null;
  const second = recipe.secondEncoder
    ? planEncoder('secondEncoder', recipe.secondEncoder, recipe, sources)
    : null;
  if (recipe.adaptor !== undefined && first === null) throw noEncoder(recipe.adaptor.architecture);
  started('encoder');
  const sound = await soundParts(recipe, first, second, sources, folder);
  started('llm');
  const llm = await writeLlm(recipe, sources, folder);
  started('adaptor');
  const adaptor =
    recipe.adaptor === undefined || first === null
      ? null
      : await writeAdaptor(
          planAdaptor(
            recipe,
            first.built,
            second?.built ?? null,
            llm && { hidden: llm.llm.hidden, embeddings: llm.embeddings },
            sources,
          ),
          folder,
        );
  started('hashes');
  const manifest = await manifestOf(recipe, { ...sound, llm, adaptor }, folder);
  await writeFile(join(folder, 'bundle.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await syncFile(join(folder, 'bundle.json'));
  return manifest;
}

function noEncoder(adaptor: string): ModelError {
  return new ModelError(
    'not-supported',
    `The recipe has the adaptor ${adaptor}, but no encoder whose frames it could read.`,
    'Add the encoder to the recipe.',
  );
}

type Sound = Pick<BundleManifest, 'features' | 'encoder' | 'secondEncoder' | 'whisper'>;

async function soundParts(
  { encoder }: Recipe,
  first: PlannedEncoder | null,
  second: PlannedEncoder | null,
  sources: RecipeSources,
  folder: string,
): Promise<Sound> {
  if (encoder === undefined || first === null)
    return { features: null, encoder: null, secondEncoder: null, whisper: null };
  const secondName = second?.architecture === first.architecture ? 'second-encoder' : 'encoder';
  return {
    features: first.built.features,
    encoder: await writeEncoder(first, `${first.architecture}-encoder`, folder),
    secondEncoder: second && {
      ...(await writeEncoder(second, `${second.architecture}-${secondName}`, folder)),
      features: second.built.features,
    },
    whisper:
      first.architecture === 'whisper'
        ? await buildWhisperDecoder(sources.weights(encoder.from), sources.path(encoder.from), folder)
        : null,
  };
}

interface Parts extends Sound {
  readonly llm: BuiltLlm | null;
  readonly adaptor: BundleManifest['adaptor'];
}

async function manifestOf(recipe: Recipe, parts: Parts, folder: string): Promise<BundleManifest> {
  const { llm, ...others } = parts;
  const card = recipe.card ?? {
    ...plainCard,
    name: recipe.id,
    preferredEngine: parts.adaptor === null ? ('cascade' as const) : ('speech-llm' as const),
  };
  return bundleManifestSchema.parse({
    manifest: manifestVersion,
    builder: builderVersion,
    id: recipe.id,
    ...card,
    capabilities: capabilitiesOf(parts),
    ...others,
    llm: llm?.llm ?? null,
    prompt: {
      chatTemplate: recipe.prompt.template ?? llm?.chatTemplate ?? '',
      system: recipe.prompt.system,
      audio: recipe.prompt.audio,
      tasks: recipe.prompt.tasks,
    },
    files: await filesOf(folder),
  } satisfies BundleManifest);
}

function capabilitiesOf({ whisper, llm }: Pick<Parts, 'whisper' | 'llm'>): BundleManifest['capabilities'] {
  const several = Object.keys(whisper?.tokens.languages ?? {}).length > 1;
  return [
    ...(llm === null ? [] : (['chat'] as const)),
    ...(whisper === null ? [] : (['transcribe'] as const)),
    ...(several ? (['translate-to-english', 'detect-language'] as const) : []),
  ];
}
