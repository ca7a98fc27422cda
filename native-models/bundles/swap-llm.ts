import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { type PlannedLlm, planLlm } from '../architectures/llms/build-llm.ts';
import type { BuiltLlm, WeightFormat } from '../architectures/llms/llm.ts';
import { ModelError } from '../errors.ts';
import { PartFiles } from './files.ts';
import { refuseOtherHeadTokens } from './head-tokens.ts';
import { type BundleManifest, type BundlePart, builderVersion, bundleIdSchema } from './manifest.ts';
import { modelFolder } from './settings.ts';
import { RecipeSources } from './sources.ts';
import { stageFolder } from './staging.ts';
import { hashFile, verifyBundle } from './verify.ts';
import { writeManifest } from './write-manifest.ts';

export type SwapStep = 'sources' | 'llm' | 'copies' | 'hashes';

export interface SwapRequest {
  /** The bundle whose encoder and adaptor are taken over, as they are. */
  readonly bundle: string;
  /** The weights of the other LLM: a GGUF file, or a Hugging Face folder. */
  readonly llm: string;
  /** As recipes name it; null to read it off the weights. */
  readonly architecture: string | null;
  readonly quantize: WeightFormat;
  /** Of the new bundle; null for ones made of the old bundle's and the LLM's. */
  readonly id: string | null;
  readonly name: string | null;
  /** The file that the old bundle's LoRA came from, to be put beside the new LLM too; null to leave the LoRA behind. */
  readonly keepLora: string | null;
  /** The new bundle's folder: new, empty, or a bundle to be replaced. */
  readonly out: string;
  readonly onProgress?: (progress: { step: SwapStep; done: number; total: number }) => void;
  /** What a person should know of the new bundle. */
  readonly onNote?: (text: string) => void;
}

const steps: readonly SwapStep[] = ['sources', 'llm', 'copies', 'hashes'];

/**
 * Puts another LLM under a bundle's ears: encoder and adaptor are copied with their hashes checked, the LLM is built from its
 * weights, with its own tokens (the transferable aligner, section 2.3.2: an alignment learnt for an LLM serves its chat version without more
 * training). Throws `shape-mismatch` naming both widths, and what reading either throws; nothing is left behind then.
 */
export async function swapLlm(request: SwapRequest): Promise<BundleManifest> {
  const { bundle, out, onProgress } = request;
  const started = (step: SwapStep) => onProgress?.({ step, done: steps.indexOf(step), total: steps.length });
  started('sources');
  const old = await verifyBundle(bundle);
  refuseUnfit(old, resolve(bundle) === resolve(out));
  const sources = new RecipeSources('.');
  try {
    return await stageFolder(out, async (folder) => {
      const planned = planOther(request, old, sources, folder);
      refuseOtherWidth(old, planned, request.llm);
      started('llm');
      const files = new PartFiles(folder);
      const built = await planned.write();
      files.claim('llm');
      refuseOtherHeadTokens(bundle, old, folder, built.llm, request.onNote);
      started('copies');
      await copyOthers(bundle, old, files, folder);
      started('hashes');
      return writeManifest(folder, await swapped(request, old, built, await files.list()));
    });
  } finally {
    sources.close();
  }
}

function refuseUnfit({ id, adaptor, files }: BundleManifest, onItself: boolean): void {
  const refused = (fault: string, hint: string) => new ModelError('not-supported', fault, hint);
  if (adaptor === null)
    throw refused(
      `The bundle ${id} has no adaptor that another LLM could be put under.`,
      'Build a bundle of the LLM itself from a recipe.',
    );
  if (files.some(({ part }) => part === undefined))
    throw refused(
      `The bundle ${id} was built by an earlier version and does not say whose its files are.`,
      'Build it again, then swap.',
    );
  if (onItself)
    throw refused(`The bundle ${id} would replace itself.`, 'Name another folder for the new bundle.');
}

function planOther(
  { llm: from, architecture, quantize, keepLora }: SwapRequest,
  { llm: oldLlm, target }: BundleManifest,
  sources: RecipeSources,
  folder: string,
): PlannedLlm {
  for (const given of [from, ...(keepLora === null ? [] : [keepLora])])
    if (!existsSync(given))
      throw new ModelError('file-missing', `There are no weights at ${given}.`, 'Check the path.');
  const lora = oldLlm?.lora ?? null;
  if (keepLora !== null && lora === null)
    throw new ModelError(
      'not-supported',
      'The bundle has no LoRA that could be kept.',
      'Leave --keep-lora out.',
    );
  return planLlm({
    weights: sources.weights(from),
    sourceFolder: modelFolder(from),
    architecture,
    lora:
      keepLora === null || lora === null
        ? null
        : {
            tensors: sources.weights(keepLora),
            rank: lora.rank,
            alpha: lora.scale * lora.rank,
            merged: false,
          },
    quantize,
    target: target ?? 'webgpu',
    folder,
  });
}

function refuseOtherWidth({ adaptor }: BundleManifest, { hidden }: PlannedLlm, from: string): void {
  if (adaptor !== null && adaptor.hidden !== hidden)
    throw new ModelError(
      'shape-mismatch',
      `The adaptor gives vectors of ${adaptor.hidden}, the LLM ${from} reads vectors of ${hidden}.`,
      'Name an LLM of the same family and size as the one that the adaptor was trained with, such as its chat version.',
    );
}

/** Copies, not links: each bundle can be removed without the other. */
async function copyOthers(
  bundle: string,
  { files }: BundleManifest,
  parts: PartFiles,
  folder: string,
): Promise<void> {
  const others: readonly BundlePart[] = ['encoder', 'secondEncoder', 'whisper', 'adaptor'];
  for (const part of others) {
    for (const file of files.filter((listed) => listed.part === part)) {
      await copyFile(join(bundle, file.path), join(folder, file.path));
      const found = await hashFile(join(folder, file.path));
      if (found !== file.sha256)
        throw new ModelError(
          'bundle-corrupt',
          `The copy of ${file.path} has SHA-256 ${found}, but the manifest says ${file.sha256}.`,
          'The disk may be failing: check it, and try again.',
        );
    }
    parts.claim(part);
  }
}

async function swapped(
  { llm: from, id, name, keepLora, onNote }: SwapRequest,
  old: BundleManifest,
  { llm, chatTemplate }: BuiltLlm,
  files: BundleManifest['files'],
): Promise<BundleManifest> {
  const source = basename(from);
  const word = source.slice(0, source.length - extname(source).length);
  const ofOldLlm = old.llm?.from;
  if (old.llm?.lora && keepLora === null)
    onNote?.(`The LoRA of ${old.id} was trained with its LLM and is left behind.`);
  return {
    ...old,
    builder: builderVersion,
    id: id ?? plainId(`${old.id}-${word}`),
    name: name ?? `${old.name}, ${word}`,
    licence: 'unknown',
    llm: { ...llm, from: source },
    prompt: old.prompt.templateOf === 'recipe' ? old.prompt : { ...old.prompt, chatTemplate },
    // They were measured with the other LLM.
    figures: [],
    provenance: old.provenance.filter(({ file }) => !isOf(file, ofOldLlm)),
    files,
  };
}

/** Whether a file is the source, or lies in it. */
function isOf(file: string, source: string | undefined): boolean {
  return source !== undefined && (file === source || file.startsWith(`${source}/`));
}

function plainId(text: string): string {
  const plain = text.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
  return bundleIdSchema.parse(plain.slice(0, 64).replace(/[.-]+$/, ''));
}
