import { join } from 'node:path';
import type { OnnxPort } from '../../formats/onnx-reader.ts';
import { anyManifest } from '../../published/any-manifest.ts';
import { isPublishedBundle, openPublished } from '../../published/open-published.ts';
import type { BundleManifest, BundlePart, Learnt } from '../manifest.ts';
import { type GraphSummary, graphSummary } from './graph-weights.ts';
import { type MemoryAt, memoryByContext } from './memory.ts';

export interface InspectedGraph {
  readonly file: string;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export interface InspectedPart {
  readonly part: BundlePart;
  readonly architecture: string;
  /** Its weights, as the recipe named them; null in bundles of earlier builders. */
  readonly from: string | null;
  /** Numbers that were learnt. */
  readonly parameters: number;
  /** How they are kept, most of them first. */
  readonly kept: readonly string[];
  /** Its files on the disk; null in bundles of earlier builders, which do not say whose a file is. */
  readonly bytes: number | null;
  /** Its weights in memory, of the graphs that the CPU runs. */
  readonly memory: number;
  readonly graphs: readonly InspectedGraph[];
}

export interface Inspection {
  readonly id: string;
  readonly name: string;
  readonly summary: string;
  readonly licence: string;
  readonly languages: readonly string[];
  readonly capabilities: BundleManifest['capabilities'];
  /** Instructions that the bundle has: `transcribe`, `answer`… */
  readonly tasks: readonly string[];
  readonly engine: BundleManifest['preferredEngine'];
  readonly builder: number | null;
  readonly parts: readonly InspectedPart[];
  /** Tokens that sound becomes: so many a second, or a number for any clip; null without an adaptor. */
  readonly audioTokens: { readonly perSecond: number } | { readonly fixed: number } | null;
  readonly contextLength: number | null;
  /** Bytes by the length of a conversation; empty without an LLM. */
  readonly memory: readonly MemoryAt[];
  readonly generation: BundleManifest['generation'];
  readonly lora: NonNullable<BundleManifest['llm']>['lora'];
  readonly provenance: BundleManifest['provenance'];
}

/** What a bundle is made of and what it takes, from its manifest and its graphs; no weight is read. Throws `ModelError`. */
export function inspectBundle(folder: string): Inspection {
  const inspection = inspectManifest(folder, anyManifest(folder));
  // What lies between sound and LLM is inside one graph of a published model: only its hearing knows the rate.
  return isPublishedBundle(folder)
    ? { ...inspection, audioTokens: openPublished(folder).hearing.rate }
    : inspection;
}

/** The same for a manifest at hand. */
export function inspectManifest(folder: string, manifest: BundleManifest): Inspection {
  const { llm, adaptor, prompt } = manifest;
  const parts = graphsOf(manifest).map((part) => inspectPart(folder, manifest, part));
  const weights = parts.reduce((sum, { memory }) => sum + memory, 0);
  return {
    id: manifest.id,
    name: manifest.name,
    summary: manifest.summary,
    licence: manifest.licence,
    languages: manifest.languages,
    capabilities: manifest.capabilities,
    tasks: Object.keys(prompt.tasks),
    engine: manifest.preferredEngine,
    builder: manifest.builder ?? null,
    parts,
    audioTokens: adaptor?.tokens ?? null,
    contextLength: llm?.contextLength ?? null,
    memory: llm === null ? [] : memoryByContext(llm, weights),
    generation: manifest.generation,
    lora: llm?.lora ?? null,
    provenance: manifest.provenance,
  };
}

interface PartGraphs {
  readonly part: BundlePart;
  readonly architecture: string;
  readonly from: string | undefined;
  readonly learnt: Learnt;
  /** Those that the CPU runs, and those for other providers. */
  readonly graphs: readonly string[];
  readonly deviceGraphs: readonly (string | undefined)[];
}

function graphsOf({ encoder, secondEncoder, whisper, adaptor, llm }: BundleManifest): PartGraphs[] {
  const simple = (part: BundlePart, found: typeof encoder | typeof adaptor): PartGraphs[] =>
    found === null
      ? []
      : [
          {
            ...found,
            part,
            from: found.from,
            learnt: found.learnt,
            graphs: [found.graph],
            deviceGraphs: [found.deviceGraph],
          },
        ];
  return [
    ...simple('encoder', encoder),
    ...simple('secondEncoder', secondEncoder),
    ...simple('adaptor', adaptor),
    ...(llm === null
      ? []
      : [
          {
            part: 'llm' as const,
            architecture: llm.architecture,
            from: llm.from,
            learnt: llm.learnt,
            graphs: [llm.embedGraph, llm.rowsGraph],
            deviceGraphs: llm.deviceGraph === llm.rowsGraph ? [] : [llm.deviceGraph],
          },
        ]),
    ...(whisper === null
      ? []
      : [
          {
            part: 'whisper' as const,
            architecture: 'whisper-decoder',
            from: encoder?.from,
            learnt: whisper.learnt,
            graphs: [whisper.crossGraph, whisper.graph],
            deviceGraphs: [],
          },
        ]),
  ];
}

function inspectPart(
  folder: string,
  { files }: BundleManifest,
  { part, architecture, from, learnt, graphs, deviceGraphs }: PartGraphs,
): InspectedPart {
  const read = (file: string) => ({ file, ...graphSummary(join(folder, file)) });
  const own = graphs.map(read);
  const others = deviceGraphs.filter((file) => file !== undefined).map(read);
  const partFiles = files.filter((file) => file.part === part);
  return {
    part,
    architecture,
    from: from ?? null,
    ...(learnt ?? learntOf(own)),
    bytes: partFiles.length === 0 ? null : partFiles.reduce((sum, { bytes }) => sum + bytes, 0),
    memory: [...new Map(own.flatMap(({ bytes }) => [...bytes])).values()].reduce(
      (sum, size) => sum + size,
      0,
    ),
    graphs: [...own, ...others].map(({ file, inputs, outputs }) => ({ file, inputs, outputs })),
  };
}

/** For bundles that do not say it: as the graphs have it, each weight once however many of them read it. */
function learntOf(graphs: readonly GraphSummary[]): NonNullable<Learnt> {
  const named = graphs.flatMap(({ weights }) => weights.map((weight) => [weight.name, weight] as const));
  const counts = new Map<string, number>();
  for (const { precision, parameters } of new Map(named).values())
    counts.set(precision, (counts.get(precision) ?? 0) + parameters);
  const kept = [...counts].toSorted(([, a], [, b]) => b - a);
  return {
    parameters: kept.reduce((sum, [, parameters]) => sum + parameters, 0),
    kept: kept.map(([precision]) => precision),
  };
}
