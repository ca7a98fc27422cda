import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import type { BuiltLlm } from '../../../native-models/architectures/llms/llm.ts';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';

const adaptor = new URL('../../../resources/bundles/parlance-mini/adaptor.safetensors', import.meta.url);
const weightsFile = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/** The published language model's file, as `npm test` fetched it. */
export function openWeights(): Gguf {
  const folder = process.env.PARLANCE_TEST_WEIGHTS;
  if (folder === undefined)
    throw new Error('PARLANCE_TEST_WEIGHTS names no folder: run the tests with `npm test`, which fills one');
  return new Gguf(join(folder, weightsFile));
}

/** The default bundle's language model, built into a folder of its own. */
export class BuiltModel {
  readonly folder: string;
  readonly options: InferenceSession.SessionOptions = { executionProviders: ['cpu'], intraOpNumThreads: 2 };
  readonly built: BuiltLlm;
  readonly #sessions = new Map<string, Promise<InferenceSession>>();

  private constructor(folder: string, built: BuiltLlm) {
    this.folder = folder;
    this.built = built;
  }

  static async build(withLora: boolean): Promise<BuiltModel> {
    const folder = mkdtempSync(join(tmpdir(), 'parlance-llama-'));
    using gguf = openWeights();
    using tensors = new Safetensors(fileURLToPath(adaptor));
    const built = await buildLlm({
      ...{ weights: gguf, sourceFolder: folder, architecture: null, quantize: 'keep', target: 'cpu', folder },
      lora: withLora ? { tensors, rank: 8, alpha: 16, merged: false } : null,
    });
    return new BuiltModel(folder, built);
  }

  /** A graph's session, made once. */
  session(graph: string): Promise<InferenceSession> {
    const made = this.#sessions.get(graph) ?? InferenceSession.create(join(this.folder, graph), this.options);
    this.#sessions.set(graph, made);
    return made;
  }

  async remove(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release();
    rmSync(this.folder, { recursive: true });
  }
}

/** What a decoder needs to read on: `read` gives the last position's logits. */
export interface Reader {
  read(ids: readonly number[]): Promise<Float32Array>;
}

/** Reads with the rows form: caches of `capacity`, into which the new rows are put after each step. */
export async function rowsReader(model: BuiltModel, loraScale: number, capacity = 128): Promise<Reader> {
  const { llm } = model.built;
  const embed = await model.session(llm.embedGraph);
  const decoder = await model.session(llm.rowsGraph);
  const size = capacity * llm.headSize;
  const caches = Array.from({ length: 2 * llm.layers }, () => new Float32Array(llm.kvHeads * size));
  const past = Object.fromEntries(
    caches.map((cache, i) => [
      `past_key_values.${i >> 1}.${i % 2 === 0 ? 'key' : 'value'}`,
      new Tensor('float32', cache, [1, llm.kvHeads, capacity, llm.headSize]),
    ]),
  );
  let length = 0;
  return {
    read: async (ids) => {
      const inputs = await inputsFor(embed, llm.lora === null ? null : loraScale, ids, length + ids.length);
      const { logits, rows } = await decoder.run({ ...past, ...inputs });
      const values = rows?.data as Float32Array;
      const step = ids.length * llm.headSize;
      caches.forEach((cache, i) => {
        for (let head = 0; head < llm.kvHeads; head++) {
          const from = (i * llm.kvHeads + head) * step;
          cache.set(values.subarray(from, from + step), head * size + length * llm.headSize);
        }
      });
      length += ids.length;
      return logits?.data as Float32Array;
    },
  };
}

/** Reads with the device form: what comes out as present goes in as past. */
export async function deviceReader(model: BuiltModel, loraScale: number): Promise<Reader> {
  const { llm } = model.built;
  const embed = await model.session(llm.embedGraph);
  const decoder = await model.session(llm.deviceGraph);
  const names = decoder.inputNames.filter((name) => name.startsWith('past_key_values.'));
  const empty = () => new Tensor('float32', new Float32Array(0), [1, llm.kvHeads, 0, llm.headSize]);
  let past: Record<string, Tensor> = Object.fromEntries(names.map((name) => [name, empty()]));
  let length = 0;
  return {
    read: async (ids) => {
      length += ids.length;
      const inputs = await inputsFor(embed, llm.lora === null ? null : loraScale, ids, length);
      const { logits, ...present } = await decoder.run({ ...past, ...inputs });
      past = Object.fromEntries(
        names.map((name) => [name, present[name.replace('past_key_values', 'present')] as Tensor]),
      );
      return logits?.data as Float32Array;
    },
  };
}

async function inputsFor(
  embed: InferenceSession,
  loraScale: number | null,
  ids: readonly number[],
  total: number,
): Promise<Record<string, Tensor>> {
  const input_ids = new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const { inputs_embeds } = await embed.run({ input_ids });
  return {
    inputs_embeds: inputs_embeds as Tensor,
    seqlens_k: new Tensor('int32', Int32Array.of(total - 1), [1]),
    total_sequence_length: new Tensor('int32', Int32Array.of(total), []),
    ...(loraScale === null ? {} : { lora_scale: new Tensor('float32', Float32Array.of(loraScale), []) }),
  };
}

export function likeliest(logits: Float32Array): number {
  return logits.reduce((best, value, id) => (value > (logits[best] ?? 0) ? id : best), 0);
}
