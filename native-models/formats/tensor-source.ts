/**
 * How elements lie in a weight file, by the names that GGUF and safetensors use. The `Q` types are GGML blocks along the last
 * dimension, of 32 elements, or of 256 where the name ends in `K`. Of what is below 8 bits, of floats below 16
 * and of complex numbers only the names and the bytes are read.
 */
export type StoredType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'
  | 'C64'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'F4'
  | 'U4'
  | 'I4'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K';

/** A tensor in a file: its header is known, its data are read when asked for, and not kept. */
export interface LazyTensor {
  readonly name: string;
  readonly type: StoredType;
  /** Outermost dimension first, as PyTorch writes it; empty for a scalar. */
  readonly shape: readonly number[];
  /** The bytes as they lie in the file. */
  read(): Uint8Array<ArrayBuffer>;
  /** The values in single precision: converted, or taken out of their blocks. Throws `not-supported` for types without. */
  float32(): Float32Array<ArrayBuffer>;
  /**
   * Some of the outermost rows, as a tensor of its own: reading it reads no more than them, so that a matrix of any size passes
   * through little memory. Throws `shape-mismatch` when there are no such rows.
   */
  rows(first: number, count: number): LazyTensor;
}

/** What every weight reader is: names, and tensors by name. Nothing is read until a tensor's data are asked for. */
export interface TensorSource {
  names(): string[];
  has(name: string): boolean;
  /** Throws `tensor-missing`, naming the file. */
  tensor(name: string): LazyTensor;
}

/** Weights whose files stay open until they are closed. */
export type OpenedWeights = TensorSource & Disposable & { readonly path: string; close(): void };
