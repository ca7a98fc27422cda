import type { BuiltLlm } from '../architectures/llms/llm.ts';
import { ModelError } from '../errors.ts';
import { planAdaptor, writeAdaptor } from './adaptor-part.ts';
import { type PlannedEncoder, planEncoder, refuseLoneSecondEncoder, writeEncoder } from './encoder-part.ts';
import { PartFiles } from './files.ts';
import { planRecipeLlm } from './llm-part.ts';
import { type BundleManifest, builderVersion, manifestVersion } from './manifest.ts';
import type { BundleCard, Recipe } from './recipe.ts';
import { RecipeSources } from './sources.ts';
import { stageFolder } from './staging.ts';
import { buildWhisperDecoder } from './whisper-part.ts';
import { writeManifest } from './write-manifest.ts';

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
  const first = recipe.encoder ? planEncoder(recipe.encoder, recipe, sources) : null;
  const second = recipe.secondEncoder ? planEncoder(recipe.secondEncoder, recipe, sources) : null;
  if (recipe.adaptor !== undefined && first === null) throw noEncoder(recipe.adaptor.architecture);
  const plannedLlm = planRecipeLlm(recipe, sources, folder);
  const planned =
    first &&
    recipe.adaptor &&
    planAdaptor(recipe, recipe.adaptor, first.built, second?.built ?? null, plannedLlm, sources);
  const files = new PartFiles(folder);
  started('encoder');
  const sound = await soundParts(recipe, first, second, sources, files, folder);
  started('llm');
  const llm = plannedLlm && (await plannedLlm.write());
  files.claim('llm');
  started('adaptor');
  const adaptor = planned ? await writeAdaptor(planned, folder) : null;
  files.claim('adaptor');
  started('hashes');
  return writeManifest(folder, manifestOf(recipe, { ...sound, llm, adaptor }, await files.list()));
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
  files: PartFiles,
  folder: string,
): Promise<Sound> {
  if (encoder === undefined || first === null)
    return { features: null, encoder: null, secondEncoder: null, whisper: null };
  const firstPart = await writeEncoder(first, `${first.architecture}-encoder`, folder);
  files.claim('encoder');
  const secondName = second?.architecture === first.architecture ? 'second-encoder' : 'encoder';
  const secondPart = second && (await writeEncoder(second, `${second.architecture}-${secondName}`, folder));
  files.claim('secondEncoder');
  const whisper =
    first.architecture === 'whisper'
      ? await buildWhisperDecoder(sources.weights(encoder.from), sources.path(encoder.from), folder)
      : null;
  files.claim('whisper');
  return {
    features: first.built.features,
    encoder: firstPart,
    secondEncoder: secondPart && second && { ...secondPart, features: second.built.features },
    whisper,
  };
}

interface Parts extends Sound {
  readonly llm: BuiltLlm | null;
  readonly adaptor: BundleManifest['adaptor'];
}

function manifestOf(recipe: Recipe, parts: Parts, files: BundleManifest['files']): BundleManifest {
  const { llm, ...others } = parts;
  const card = recipe.card ?? {
    ...plainCard,
    name: recipe.id,
    preferredEngine: parts.adaptor === null ? ('cascade' as const) : ('speech-llm' as const),
  };
  return {
    manifest: manifestVersion,
    builder: builderVersion,
    id: recipe.id,
    ...card,
    capabilities: capabilitiesOf(parts, recipe.prompt.tasks),
    ...others,
    llm: llm && { ...llm.llm, from: recipe.llm?.from },
    target: recipe.target,
    prompt: {
      chatTemplate: recipe.prompt.template ?? llm?.chatTemplate ?? '',
      templateOf: recipe.prompt.template === undefined ? 'llm' : 'recipe',
      system: recipe.prompt.system,
      audio: recipe.prompt.audio,
      tasks: recipe.prompt.tasks,
    },
    files,
  };
}

/** Whisper's decoder writes and translates, a CTC head writes, and a speech LLM does what it has an instruction for. */
function capabilitiesOf(parts: Parts, tasks: Recipe['prompt']['tasks']): BundleManifest['capabilities'] {
  const { whisper, encoder, adaptor, llm } = parts;
  const several = Object.keys(whisper?.tokens.languages ?? {}).length > 1;
  const instructed = (task: string) => adaptor !== null && llm !== null && Object.hasOwn(tasks, task);
  const writes = whisper !== null || (encoder?.ctcLabels ?? null) !== null || instructed('transcribe');
  return [
    ...(llm === null ? [] : (['chat'] as const)),
    ...(writes ? (['transcribe'] as const) : []),
    ...(several || instructed('translate') ? (['translate-to-english'] as const) : []),
    ...(several ? (['detect-language'] as const) : []),
  ];
}
