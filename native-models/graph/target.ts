/**
 * Where a graph will run. The builder writes ONNX Runtime's fused operators where the target has them, and the same formula in
 * operators of the ONNX standard where it has not; `plain` is the standard alone, which every provider takes.
 */
export type Target = 'cpu' | 'cuda' | 'directml' | 'webgpu' | 'coreml' | 'plain';
