/**
 * Where a graph will run. The builder writes ONNX Runtime's fused operators where the target has them, and the same formula in
 * operators of the ONNX standard where it has not; `plain` is the standard alone, which every provider takes.
 */
export type Target = 'cpu' | 'cuda' | 'directml' | 'webgpu' | 'coreml' | 'plain';

/** Operators that are a formula of several standard ones, fused. A number behind `MatMulNBits` is that of bits. */
export type FusedOperator =
  | 'Gelu'
  | 'SimplifiedLayerNormalization'
  | 'SkipSimplifiedLayerNormalization'
  | 'SkipLayerNormalization'
  | 'MatMulNBits4'
  | 'MatMulNBits8'
  | 'GatherBlockQuantized'
  | 'DynamicQuantizeMatMul'
  | 'FusedMatMul'
  | 'RotaryEmbedding'
  | 'MultiHeadAttention'
  | 'GroupQueryAttention';

/**
 * What each provider computes itself in single precision; a node that it lacks would run on the CPU and pass its values back and
 * forth. CPU, CUDA and DirectML: docs/OperatorKernels.md of microsoft/onnxruntime (CUDA's GroupQueryAttention knows half precision
 * alone, DirectML's MatMulNBits 4 bits alone). WebGPU: onnxruntime/contrib_ops/webgpu/webgpu_contrib_kernels.cc. CoreML:
 * onnxruntime/core/providers/coreml/builders/op_builder_factory.cc, which has none of them.
 */
const fused: Readonly<Record<Target, ReadonlySet<FusedOperator>>> = {
  cpu: new Set([
    ...['Gelu', 'SimplifiedLayerNormalization', 'SkipSimplifiedLayerNormalization'],
    ...['SkipLayerNormalization', 'MatMulNBits4', 'MatMulNBits8', 'GatherBlockQuantized'],
    ...['DynamicQuantizeMatMul', 'FusedMatMul', 'RotaryEmbedding', 'MultiHeadAttention'],
    'GroupQueryAttention',
  ] as const),
  cuda: new Set([
    ...['Gelu', 'SimplifiedLayerNormalization', 'SkipSimplifiedLayerNormalization'],
    ...['SkipLayerNormalization', 'MatMulNBits4', 'MatMulNBits8', 'GatherBlockQuantized'],
    ...['FusedMatMul', 'RotaryEmbedding', 'MultiHeadAttention'],
  ] as const),
  directml: new Set([
    ...['Gelu', 'SimplifiedLayerNormalization', 'SkipSimplifiedLayerNormalization'],
    ...['SkipLayerNormalization', 'MatMulNBits4', 'DynamicQuantizeMatMul', 'FusedMatMul'],
    ...['RotaryEmbedding', 'MultiHeadAttention', 'GroupQueryAttention'],
  ] as const),
  webgpu: new Set([
    ...['Gelu', 'SimplifiedLayerNormalization', 'SkipSimplifiedLayerNormalization'],
    ...['SkipLayerNormalization', 'MatMulNBits4', 'MatMulNBits8', 'GatherBlockQuantized'],
    ...['RotaryEmbedding', 'MultiHeadAttention', 'GroupQueryAttention'],
  ] as const),
  coreml: new Set(),
  plain: new Set(),
};

/** Whether a target computes an operator itself. */
export function hasFused(target: Target, operator: FusedOperator): boolean {
  return fused[target].has(operator);
}
