import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { BinaryFile, invalidFile } from './binary-file.ts';
import { diskAccess, type FileAccess } from './file-access.ts';
import { isFileName } from './file-name.ts';
import type { LazyTensor, OpenedWeights } from './tensor-source.ts';

const indexBytesLimit = 10 * 2 ** 20;
const shardLimit = 1000;

const indexSchema = z.object({
  weight_map: z.custom<object>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
});

/**
 * Weights in several files, as transformers writes them: `*.index.json` whose `weight_map` says which file of its folder holds
 * which tensor. All the files are opened, and every tensor is looked for, at once.
 */
export class ShardedWeights implements OpenedWeights {
  readonly path: string;
  readonly #shards = new Map<string, OpenedWeights>();
  readonly #shardOf = new Map<string, OpenedWeights>();

  /**
   * Throws `file-invalid`, naming the entry at fault, `file-missing` for a shard that is not there, `tensor-missing` when a shard
   * lacks what the index says it holds, and what reading a shard throws.
   */
  constructor(
    path: string,
    access: FileAccess = diskAccess,
    openShard: (path: string, access: FileAccess) => OpenedWeights,
  ) {
    this.path = path;
    try {
      for (const [tensor, shard] of readIndex(path, access)) this.#add(tensor, shard, access, openShard);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  names(): string[] {
    return [...this.#shardOf.keys()];
  }

  has(name: string): boolean {
    return this.#shardOf.has(name);
  }

  tensor(name: string): LazyTensor {
    const shard = this.#shardOf.get(name);
    if (shard === undefined)
      throw new ModelError(
        'tensor-missing',
        `${this.path} has no tensor ${name}.`,
        'The files hold another architecture than the recipe says, or another version of it.',
      );
    return shard.tensor(name);
  }

  close(): void {
    for (const shard of this.#shards.values()) shard.close();
    this.#shards.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #add(
    tensor: string,
    name: string,
    access: FileAccess,
    openShard: (path: string, access: FileAccess) => OpenedWeights,
  ): void {
    let shard = this.#shards.get(name);
    if (shard === undefined) {
      if (this.#shards.size === shardLimit)
        throw invalidFile(this.path, `it names more than ${shardLimit} files`);
      shard = openShard(join(dirname(this.path), name), access);
      this.#shards.set(name, shard);
    }
    if (!shard.has(tensor))
      throw new ModelError(
        'tensor-missing',
        `${this.path} places ${tensor} in ${name}, which does not hold it.`,
        'The index and the files are of different versions: fetch them all again.',
      );
    this.#shardOf.set(tensor, shard);
  }
}

function readIndex(path: string, access: FileAccess): [tensor: string, shard: string][] {
  const { weight_map } = parseIndex(path, indexBytes(path, access));
  return Object.entries(weight_map).map(([tensor, shard]) => {
    if (!isFileName(shard))
      throw invalidFile(path, `its weight_map places ${tensor} in something that is no name of a file`);
    return [tensor, shard];
  });
}

function indexBytes(path: string, access: FileAccess): Uint8Array {
  const file = new BinaryFile(path, access);
  try {
    if (file.size > indexBytesLimit) throw invalidFile(path, `${file.size} bytes are more than an index has`);
    return file.read(0, file.size, 'the index');
  } finally {
    file.close();
  }
}

function parseIndex(path: string, bytes: Uint8Array): z.output<typeof indexSchema> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidFile(path, `it is not JSON (${cause instanceof Error ? cause.message : cause})`);
  }
  const index = indexSchema.safeParse(json);
  if (!index.success) throw invalidFile(path, 'it is JSON, but no index of weights: it has no weight_map');
  return index.data;
}
