import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { BuiltLlm } from '../../../native-models/architectures/llms/llm.ts';

/** A built language model and its sessions. */
export class OpenModel {
  readonly folder: string;
  readonly built: BuiltLlm;
  readonly options: InferenceSession.SessionOptions;
  readonly #sessions = new Map<string, Promise<InferenceSession>>();

  constructor(folder: string, built: BuiltLlm, options: InferenceSession.SessionOptions = {}) {
    this.folder = folder;
    this.built = built;
    this.options = { executionProviders: ['cpu'], intraOpNumThreads: 2, ...options };
  }

  /** A graph's session, made once. */
  session(graph: string): Promise<InferenceSession> {
    const made = this.#sessions.get(graph) ?? InferenceSession.create(join(this.folder, graph), this.options);
    this.#sessions.set(graph, made);
    return made;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release();
  }
}

/** What a decoder needs to read on: `read` gives the last position's logits. */
export interface Reader {
  read(ids: readonly number[]): Promise<Float32Array>;
}

/** Reads with the rows form: caches of `capacity`, into which the new rows are put after each step. */
export async function rowsReader(model: OpenModel, loraScale: number, capacity = 128): Promise<Reader> {
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
export async function deviceReader(model: OpenModel, loraScale: number): Promise<Reader> {
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
      // A graph of standard operators has no use for the total length.
      const wanted = Object.fromEntries(
        Object.entries(inputs).filter(([name]) => decoder.inputNames.includes(name)),
      );
      const { logits, ...present } = await decoder.run({ ...past, ...wanted });
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
