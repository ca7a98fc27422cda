import type { StoredType } from './tensor-source.ts';

/** ONNX's element types by their number: the name that sessions give them, how they are stored, and bits of an element. */
export const onnxTypes: ReadonlyMap<
  number,
  { readonly name: string; readonly stored: StoredType | null; readonly bits: number }
> = new Map([
  [1, { name: 'float32', stored: 'F32', bits: 32 }],
  [2, { name: 'uint8', stored: 'U8', bits: 8 }],
  [3, { name: 'int8', stored: 'I8', bits: 8 }],
  [4, { name: 'uint16', stored: 'U16', bits: 16 }],
  [5, { name: 'int16', stored: 'I16', bits: 16 }],
  [6, { name: 'int32', stored: 'I32', bits: 32 }],
  [7, { name: 'int64', stored: 'I64', bits: 64 }],
  [8, { name: 'string', stored: null, bits: 0 }],
  [9, { name: 'bool', stored: 'BOOL', bits: 8 }],
  [10, { name: 'float16', stored: 'F16', bits: 16 }],
  [11, { name: 'float64', stored: 'F64', bits: 64 }],
  [12, { name: 'uint32', stored: 'U32', bits: 32 }],
  [13, { name: 'uint64', stored: 'U64', bits: 64 }],
  [14, { name: 'complex64', stored: 'C64', bits: 64 }],
  [15, { name: 'complex128', stored: null, bits: 128 }],
  [16, { name: 'bfloat16', stored: 'BF16', bits: 16 }],
  [17, { name: 'float8e4m3fn', stored: 'F8_E4M3', bits: 8 }],
  [18, { name: 'float8e4m3fnuz', stored: 'F8_E4M3FNUZ', bits: 8 }],
  [19, { name: 'float8e5m2', stored: 'F8_E5M2', bits: 8 }],
  [20, { name: 'float8e5m2fnuz', stored: 'F8_E5M2FNUZ', bits: 8 }],
  [21, { name: 'uint4', stored: 'U4', bits: 4 }],
  [22, { name: 'int4', stored: 'I4', bits: 4 }],
  [23, { name: 'float4e2m1', stored: 'F4', bits: 4 }],
  [24, { name: 'float8e8m0', stored: 'F8_E8M0', bits: 8 }],
]);
