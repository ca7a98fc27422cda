import { readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltLlama } from '../architectures/llms/llama.ts';
import { ModelError } from '../errors.ts';
import type { LazyTensor } from '../formats/tensor-source.ts';
import { buildAdaptor } from './adaptor-part.ts';
import { buildLlm } from './llm-part.ts';
import { type BundleManifest, builderVersion, bundleManifestSchema, manifestVersion } from './manifest.ts';
import type { BundleCard, Recipe } from './recipe.ts';
import { RecipeSources, type WeightFile, withWeights } from './sources.ts';
import { stageFolder, syncFile } from './staging.ts';
import { hashFile } from './verify.ts';
import { buildWhisper, type WhisperPart } from './whisper-part.ts';

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
  /** Where a `from` lies instead, by its name in the recipe: downloads, for instance. */
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
  const { recipe, recipeFolder, sources: places, out, onProgress } = request;
  refuseUnknownArchitectures(recipe);
  refuseUnknownQuantization(recipe);
  const sources = new RecipeSources(recipeFolder, places);
  const started = (step: BuildStep) => onProgress?.({ step, done: steps.indexOf(step), total: steps.length });
  return stageFolder(out, async (folder) => {
    started('sources');
    await sources.verify(recipe.card?.provenance ?? []);
    started('encoder');
    const whisper = await encoderPart(recipe, sources, folder);
    const { llm, adaptor } = await withOptionalWeights(
      recipe.llm && sources.path(recipe.llm.from),
      async (weights) => {
        started('llm');
        const part = weights && (await buildLlm(recipe, weights, sources, folder));
        started('adaptor');
        return { llm: part, adaptor: await adaptorPart(recipe, sources, part?.embeddings ?? null, folder) };
      },
    );
    started('hashes');
    const manifest = await manifestOf(recipe, { whisper, llm, adaptor }, folder);
    await writeFile(join(folder, 'bundle.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await syncFile(join(folder, 'bundle.json'));
    return manifest;
  });
}

/** What is named but not built yet is refused by its name, before anything is read. */
function refuseUnknownArchitectures({ encoder, secondEncoder, adaptor, llm }: Recipe): void {
  const built = { encoder: ['whisper'], secondEncoder: [], adaptor: ['stack-conv-ctc'], llm: ['llama'] };
  for (const [part, named] of Object.entries({ encoder, secondEncoder, adaptor, llm })) {
    const architecture = named?.architecture;
    const known: readonly string[] = built[part as keyof typeof built];
    if (architecture === undefined || known.includes(architecture)) continue;
    throw new ModelError(
      'not-supported',
      `The recipe's ${part} is of the architecture ${architecture}, which this version cannot build.`,
      known.length > 0 ? `It builds ${known.join(', ')}.` : `Leave ${part} out of the recipe.`,
    );
  }
}

/** Of the parts that the recipe names: what it says of another one changes nothing. */
function refuseUnknownQuantization(recipe: Recipe): void {
  const { quantize } = recipe;
  const built = { encoder: ['none', 'keep', 'q8'], adaptor: ['none', 'keep', 'q8'], llm: ['keep', 'q8'] };
  for (const part of ['encoder', 'adaptor', 'llm'] as const)
    if (recipe[part] !== undefined && !built[part].includes(quantize[part]))
      throw new ModelError(
        'not-supported',
        `The recipe wants ${quantize[part]} for the ${part}, which this version cannot build.`,
        `It builds ${built[part].join(', ')}.`,
      );
}

async function encoderPart(recipe: Recipe, sources: RecipeSources, folder: string): Promise<WhisperPart> {
  if (recipe.encoder === undefined) return { features: null, encoder: null, whisper: null };
  const from = sources.path(recipe.encoder.from);
  return withWeights(from, (weights) => buildWhisper(weights, from, recipe.quantize.encoder, folder));
}

async function adaptorPart(
  recipe: Recipe,
  sources: RecipeSources,
  embeddings: LazyTensor | null,
  folder: string,
): Promise<BundleManifest['adaptor']> {
  return recipe.adaptor === undefined
    ? null
    : buildAdaptor(recipe, recipe.adaptor, sources, embeddings, folder);
}

async function withOptionalWeights<T>(
  path: string | undefined,
  body: (weights: WeightFile | null) => Promise<T>,
): Promise<T> {
  return path === undefined ? body(null) : withWeights(path, body);
}

interface Parts {
  readonly whisper: WhisperPart;
  readonly llm: BuiltLlama | null;
  readonly adaptor: BundleManifest['adaptor'];
}

async function manifestOf(recipe: Recipe, parts: Parts, folder: string): Promise<BundleManifest> {
  const { whisper, llm, adaptor } = parts;
  const card = recipe.card ?? {
    ...plainCard,
    name: recipe.id,
    preferredEngine: adaptor === null ? ('cascade' as const) : ('speech-llm' as const),
  };
  return bundleManifestSchema.parse({
    manifest: manifestVersion,
    builder: builderVersion,
    id: recipe.id,
    ...card,
    capabilities: capabilitiesOf(parts),
    ...whisper,
    secondEncoder: null,
    adaptor,
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

function capabilitiesOf({ whisper, llm }: Parts): BundleManifest['capabilities'] {
  const several = Object.keys(whisper.whisper?.tokens.languages ?? {}).length > 1;
  return [
    ...(llm === null ? [] : (['chat'] as const)),
    ...(whisper.whisper === null ? [] : (['transcribe'] as const)),
    ...(several ? (['translate-to-english', 'detect-language'] as const) : []),
  ];
}

async function filesOf(folder: string): Promise<BundleManifest['files']> {
  const files: BundleManifest['files'] = [];
  for (const path of readdirSync(folder).toSorted()) {
    await syncFile(join(folder, path));
    files.push({
      path,
      bytes: statSync(join(folder, path)).size,
      sha256: await hashFile(join(folder, path)),
    });
  }
  return files;
}
