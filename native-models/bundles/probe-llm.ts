import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import { readablePositions } from '../layers/positions.ts';
import type { BundleManifest } from './manifest.ts';
import { audioId } from './probe-prompt.ts';
import type { ProbeRequest } from './probe-request.ts';

type LlmManifest = NonNullable<BundleManifest['llm']>;

export interface LlmProbe {
  /** int64 [positions]: -1 at audio positions. */
  readonly ids: { readonly shape: number[]; readonly data: BigInt64Array };
  /** f32 [positions, vocabulary]. */
  readonly logits: { readonly shape: number[]; readonly data: Float32Array };
}

/**
 * Reads a prompt position by position through the engine's own decoder graph, which gives the logits of the last position only:
 * slower than one pass, but what is looked at is what answers. `clips` [tokens, hidden] take the places of the id -1 in their order;
 * null where the bundle makes no such vectors.
 */
export async function probeLlm(
  { folder, loraScale }: ProbeRequest,
  { llm, id }: BundleManifest,
  prompt: readonly number[],
  clips: readonly (Float32Array | null)[],
): Promise<LlmProbe> {
  if (llm === null) throw new Error(`${id} has no LLM, and a prompt all the same`);
  if (clips.includes(null))
    throw new ModelError(
      'not-supported',
      `The bundle ${id} has no adaptor, so that its LLM cannot read sound.`,
      'Probe sound and prompt each by itself.',
    );
  const vectors = clips.map((clip) => clip ?? new Float32Array(0));
  const lengths = vectors.map(({ length }) => length / llm.hidden);
  let clip = 0;
  const ids = prompt.flatMap((token) =>
    token === audioId ? new Array<number>(lengths[clip++] ?? 0).fill(audioId) : [token],
  );
  const most = readablePositions(llm.contextLength);
  if (ids.length === 0 || ids.length > most)
    throw new ModelError(
      'not-supported',
      `A prompt of ${ids.length} positions cannot be read; the LLM takes 1 to ${most}.`,
      'Change the prompt or the sound.',
    );
  const embeddings = await embed(folder, llm, ids, joined(vectors));
  const logits = await readLogits(folder, llm, embeddings, loraScale ?? llm.lora?.scale ?? 0);
  return {
    ids: { shape: [ids.length], data: BigInt64Array.from(ids, BigInt) },
    logits: { shape: [ids.length, llm.vocabulary], data: logits },
  };
}

/** [positions, hidden]: rows of the table, and the sound's vectors in their order where an id is -1. */
async function embed(
  folder: string,
  llm: LlmManifest,
  ids: readonly number[],
  vectors: Float32Array,
): Promise<Float32Array> {
  const session = await InferenceSession.create(join(folder, llm.embedGraph), {
    executionProviders: ['cpu'],
  });
  try {
    const known = BigInt64Array.from(ids, (id) => BigInt(Math.max(0, id)));
    const { inputs_embeds } = await session.run({ input_ids: new Tensor('int64', known, [1, ids.length]) });
    const rows = Float32Array.from(inputs_embeds?.data as Float32Array);
    let next = 0;
    ids.forEach((id, position) => {
      if (id !== audioId) return;
      rows.set(vectors.subarray(next, next + llm.hidden), position * llm.hidden);
      next += llm.hidden;
    });
    return rows;
  } finally {
    await session.release();
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

async function readLogits(
  folder: string,
  llm: LlmManifest,
  embeddings: Float32Array,
  loraScale: number,
): Promise<Float32Array> {
  const positions = embeddings.length / llm.hidden;
  const logits = new Float32Array(positions * llm.vocabulary);
  const caches = new RowsCaches(llm, positions);
  const session = await InferenceSession.create(join(folder, llm.rowsGraph), { executionProviders: ['cpu'] });
  try {
    for (let position = 0; position < positions; position++) {
      const vector = embeddings.subarray(position * llm.hidden, (position + 1) * llm.hidden);
      const outputs = await session.run({
        inputs_embeds: new Tensor('float32', vector, [1, 1, llm.hidden]),
        seqlens_k: new Tensor('int32', Int32Array.of(position), [1]),
        total_sequence_length: new Tensor('int32', Int32Array.of(position + 1), []),
        ...(llm.lora === null ? {} : { lora_scale: new Tensor('float32', Float32Array.of(loraScale), []) }),
        ...caches.feeds,
      });
      logits.set(outputs.logits?.data as Float32Array, position * llm.vocabulary);
      caches.keep(outputs.rows?.data as Float32Array | Int8Array, position);
    }
    return logits;
  } finally {
    await session.release();
  }
}

/** The decoder's keys and values: the graph gives each position's new rows, which are put in their places here. */
class RowsCaches {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly #caches: readonly (Float32Array | Int8Array)[];
  readonly #capacity: number;
  readonly #headSize: number;

  constructor({ layers, kvHeads, headSize, rowsType }: LlmManifest, capacity: number) {
    const size = kvHeads * capacity * headSize;
    this.#capacity = capacity;
    this.#headSize = headSize;
    this.#caches = Array.from({ length: 2 * layers }, () =>
      rowsType === 'int8' ? new Int8Array(size) : new Float32Array(size),
    );
    this.feeds = Object.fromEntries(
      this.#caches.map((cache, i) => [
        `past_key_values.${i >> 1}.${i % 2 === 0 ? 'key' : 'value'}`,
        new Tensor(rowsType, cache, [1, kvHeads, capacity, headSize]),
      ]),
    );
  }

  /** `rows` [2·layers, kvHeads, 1, headSize]. */
  keep(rows: Float32Array | Int8Array, position: number): void {
    const heads = rows.length / this.#caches.length / this.#headSize;
    this.#caches.forEach((cache, i) => {
      for (let head = 0; head < heads; head++) {
        const from = (i * heads + head) * this.#headSize;
        const row = rows.subarray(from, from + this.#headSize);
        cache.set(row, (head * this.#capacity + position) * this.#headSize);
      }
    });
  }
}
