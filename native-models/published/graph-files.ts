import { ModelError } from '../errors.ts';
import { fileBytes, fileMissing } from './files.ts';
import { type Dtype, dtypeSchema, type RuntimeConfig } from './schemas.ts';

export const graphNames = ['audio_encoder', 'embed_tokens', 'decoder_model_merged'] as const;
export type GraphName = (typeof graphNames)[number];

/** A graph's file and what lies beside it, by paths within the folder. */
export interface GraphFiles {
  readonly dtype: Dtype;
  readonly path: string;
  readonly externalData: readonly string[];
  /** Of all of them. */
  readonly bytes: number;
}

const mostDataFiles = 100;

/** One kind of weights for all graphs, or one for some of them. */
export type DtypeChoice = Dtype | Partial<Record<GraphName, Dtype>>;

const suffixes: Record<Dtype, string> = {
  fp32: '',
  fp16: '_fp16',
  int8: '_int8',
  uint8: '_uint8',
  q8: '_quantized',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
};

/**
 * Where nobody says which, the first of these that is there: of the LLM what a CPU reads fastest, of the rest what is most
 * exact. Half precision comes late: CPUs compute it by way of single precision.
 */
const preferences: Record<GraphName, readonly Dtype[]> = {
  audio_encoder: ['fp32', 'q8', 'q4', 'fp16', 'q4f16', 'int8', 'uint8', 'bnb4'],
  embed_tokens: ['fp32', 'q8', 'q4', 'fp16', 'q4f16', 'int8', 'uint8', 'bnb4'],
  decoder_model_merged: ['q4', 'q8', 'int8', 'uint8', 'fp32', 'q4f16', 'fp16', 'bnb4'],
};

/**
 * The files of one graph: of the kind that `wanted` names, or that the bundle's own settings name for CPUs or in general, or of
 * the best kind there is. Throws `bundle-incomplete` naming the file that is not there.
 */
export function graphFiles(
  folder: string,
  name: GraphName,
  runtime: RuntimeConfig,
  wanted?: DtypeChoice,
): GraphFiles {
  const asked = typeof wanted === 'string' ? wanted : wanted?.[name];
  if (asked !== undefined) return filesOf(folder, name, asked, runtime);
  const dtype = suggested(runtime, name).find((kind) => isThere(folder, name, kind));
  if (dtype !== undefined) return filesOf(folder, name, dtype, runtime);
  const best = preferences[name].find((kind) => isThere(folder, name, kind));
  if (best === undefined) throw fileMissing(folder, graphPath(name, 'fp32'));
  return filesOf(folder, name, best, runtime);
}

/** The kinds of weights in which a graph is there. */
function dtypesThere(folder: string, name: GraphName): Dtype[] {
  return dtypeSchema.options.filter((dtype) => isThere(folder, name, dtype));
}

function suggested(runtime: RuntimeConfig, name: GraphName): Dtype[] {
  const said = [runtime.device_config?.cpu?.dtype, runtime.dtype];
  return said.flatMap((choice) => {
    const dtype = dtypeSchema.safeParse(typeof choice === 'string' ? choice : choice?.[name]);
    return dtype.success ? [dtype.data] : [];
  });
}

function isThere(folder: string, name: GraphName, dtype: Dtype): boolean {
  return fileBytes(folder, graphPath(name, dtype)) !== null;
}

function graphPath(name: GraphName, dtype: Dtype): string {
  return `onnx/${name}${suffixes[dtype]}.onnx`;
}

function filesOf(folder: string, name: GraphName, dtype: Dtype, runtime: RuntimeConfig): GraphFiles {
  const path = graphPath(name, dtype);
  const own = fileBytes(folder, path);
  if (own === null) throw graphMissing(folder, name, path);
  const externalData = dataFiles(folder, path, externalDataFiles(runtime, name, path));
  const sizes = externalData.map((file) => {
    const bytes = fileBytes(folder, file);
    if (bytes === null) throw fileMissing(folder, file);
    return bytes;
  });
  return { dtype, path, externalData, bytes: sizes.reduce((sum, bytes) => sum + bytes, own) };
}

/** As many as the settings say, and those that follow: settings may be silent about files that the graph names itself. */
function dataFiles(folder: string, path: string, said: number): string[] {
  const file = (i: number) => `${path}_data${i === 0 ? '' : `_${i}`}`;
  let count = said;
  while (count < mostDataFiles && fileBytes(folder, file(count)) !== null) count++;
  return Array.from({ length: count }, (_, i) => file(i));
}

/** Files of weights beside a graph: a number for all, or a map by file or by graph. */
function externalDataFiles(
  { use_external_data_format: said }: RuntimeConfig,
  name: GraphName,
  path: string,
): number {
  if (said === undefined) return 0;
  if (typeof said !== 'object') return Number(said);
  const file = path.slice(path.indexOf('/') + 1);
  const entries = new Map(Object.entries(said));
  return Number(entries.get(file) ?? entries.get(name) ?? 0);
}

function graphMissing(folder: string, name: GraphName, path: string): ModelError {
  const there = dtypesThere(folder, name);
  return new ModelError(
    'bundle-incomplete',
    `${folder} lacks ${path}.`,
    there.length === 0
      ? 'Fetch the file into the folder, under that name.'
      : `Fetch it, or choose a kind of weights that is there: ${there.join(', ')}.`,
  );
}
