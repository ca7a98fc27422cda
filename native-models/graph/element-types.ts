/** Element types of graph values: ONNX `TensorProto.DataType` codes and bytes per element. */
const elementTypes = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  bfloat16: { code: 16, bytes: 2 },
} as const;

export type ElementType = keyof typeof elementTypes;

/** The number that ONNX files use for the type. */
export function onnxTypeCode(type: ElementType): number {
  return elementTypes[type].code;
}

export function bytesPerElement(type: ElementType): number {
  return elementTypes[type].bytes;
}
