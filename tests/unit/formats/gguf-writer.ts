/** Writes GGUF headers for tests: whatever it is told, true or not. */
export class GgufWriter {
  readonly #chunks: Buffer[] = [];

  raw(bytes: Buffer | Uint8Array): this {
    this.#chunks.push(Buffer.from(bytes));
    return this;
  }

  uint32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return this.raw(bytes);
  }

  uint64(value: number | bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return this.raw(bytes);
  }

  float32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.raw(bytes);
  }

  text(value: string): this {
    return this.uint64(Buffer.byteLength(value)).raw(Buffer.from(value));
  }

  head(tensors: number | bigint, metadata: number | bigint, version = 3): this {
    return this.raw(Buffer.from('GGUF')).uint32(version).uint64(tensors).uint64(metadata);
  }

  /** Dimensions as the file has them: innermost first. */
  tensor(
    name: string,
    dimensions: readonly (number | bigint)[],
    type: number,
    offset: number | bigint,
  ): this {
    this.text(name).uint32(dimensions.length);
    for (const dimension of dimensions) this.uint64(dimension);
    return this.uint32(type).uint64(offset);
  }

  align(to = 32): this {
    const length = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return this.raw(Buffer.alloc((to - (length % to)) % to));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
