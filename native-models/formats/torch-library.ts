import { PickleGlobal, PickleInstance, type PickleLibrary, PickleNamespace } from './pickle-values.ts';
import type { PlainType } from './plain-types.ts';
import { plainTypeBits } from './plain-types.ts';

const rankLimit = 16;

/** The class of a storage: what its elements are. Null is bytes of any type. */
class StorageClass {
  readonly type: PlainType | null;

  constructor(type: PlainType | null) {
    this.type = type;
  }
}

/** A storage that lies in the zip under `data/<key>`. */
export class TorchStorage {
  readonly key: string;
  readonly type: PlainType | null;
  readonly bytes: number;

  constructor(key: string, type: PlainType | null, bytes: number) {
    this.key = key;
    this.type = type;
    this.bytes = bytes;
  }
}

/** A tensor as the pickle describes it: a view of a storage. Offset and strides count elements. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly type: PlainType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(
    storage: TorchStorage,
    type: PlainType,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.type = type;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Something of which only the name matters: a data type, a device. */
export class TorchName extends PickleInstance {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  /** NumPy gives its data types their byte order in this way: the little-endian ones alone are read. */
  override setState(state: unknown): boolean {
    return Array.isArray(state) && state[1] !== '>';
  }
}

/** Bytes that a pickle of protocol 2 writes as text, one character each. */
class Latin1 {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const storageTypes = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  ComplexFloatStorage: 'C64',
} as const;

const dataTypes: Readonly<Record<string, PlainType>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  complex64: 'C64',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
};

const typesByDataType = new Map<TorchName, PlainType>(
  Object.entries(dataTypes).map(([name, type]) => [new TorchName(`torch.${name}`), type]),
);

const callables: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'torch._utils._rebuild_tensor': ([storage, ...view]) => tensorOf(storage, view, null),
  'torch._utils._rebuild_tensor_v2': ([storage, ...view]) => tensorOf(storage, view, null),
  'torch._utils._rebuild_tensor_v3': ([storage, ...view]) =>
    tensorOf(storage, view, typesByDataType.get(view[5] as TorchName) ?? null),
  'torch._utils._rebuild_parameter': ([data]) => tensorOrNothing(data),
  'torch._utils._rebuild_parameter_with_state': ([data]) => tensorOrNothing(data),
  'torch._tensor._rebuild_from_type_v2': ([rebuild, , args]) =>
    rebuild instanceof PickleGlobal && rebuild.name.startsWith('torch._utils.') && Array.isArray(args)
      ? rebuild.make(args)
      : undefined,
  'torch.Size': ([sizes]) => (Array.isArray(sizes) ? sizes : undefined),
  'torch.device': ([kind, index]) =>
    typeof kind === 'string' && kind.length <= 32
      ? new TorchName(typeof index === 'number' ? `${kind}:${index}` : kind)
      : undefined,
  'torch.nn.parameter.Parameter': ([data]) => tensorOrNothing(data),
  'torch.Tensor': () => undefined,
  'collections.OrderedDict': (args) => (args.length === 0 ? new Map() : undefined),
  'collections.defaultdict': () => new Map(),
  'argparse.Namespace': () => new PickleNamespace(),
  '_codecs.encode': ([text, encoding]) =>
    typeof text === 'string' && encoding === 'latin1' ? new Latin1(text) : undefined,
  'numpy.dtype': ([code]) => (typeof code === 'string' && code.length <= 8 ? new TorchName(code) : undefined),
  'numpy.core.multiarray.scalar': numpyScalar,
  'numpy._core.multiarray.scalar': numpyScalar,
};

/** Types that stand as values, above all as what a defaultdict makes. */
const inertTypes = ['dict', 'list', 'set', 'int', 'float', 'str', 'bool', 'bytes'];

const globals: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...Object.entries(callables).map(([name, make]) => [name, new PickleGlobal(name, make)] as const),
  ...Object.entries(storageTypes).map(([name, type]) => [`torch.${name}`, new StorageClass(type)] as const),
  ['torch.storage.UntypedStorage', new StorageClass(null)],
  ...[...typesByDataType.keys()].map((name) => [name.text, name] as const),
  ...['builtins', '__builtin__'].flatMap((module) =>
    inertTypes.map((name) => [`${module}.${name}`, new TorchName(name)] as const),
  ),
]);

/** Everything that a checkpoint's pickle may name. Nothing here does more than to describe a value. */
export const torchLibrary: PickleLibrary = {
  global: (module, name) => globals.get(`${module}.${name}`),
  persistent(id) {
    if (!Array.isArray(id)) return undefined;
    const [kind, storageClass, key, , elements] = id;
    if (kind !== 'storage' || !(storageClass instanceof StorageClass) || typeof key !== 'string')
      return undefined;
    if (!isSize(elements)) return undefined;
    const { type } = storageClass;
    return new TorchStorage(key, type, (elements * (type === null ? 8 : plainTypeBits[type])) / 8);
  },
};

function tensorOf(
  storage: unknown,
  [offset, shape, strides]: readonly unknown[],
  dataType: PlainType | null,
): TorchTensor | undefined {
  if (!(storage instanceof TorchStorage) || !isSize(offset) || !areSizes(shape) || !areSizes(strides))
    return undefined;
  const type = dataType ?? storage.type;
  if (type === null || shape.length !== strides.length) return undefined;
  return new TorchTensor(storage, type, offset, shape, strides);
}

function tensorOrNothing(value: unknown): TorchTensor | undefined {
  return value instanceof TorchTensor ? value : undefined;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function areSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= rankLimit && value.every(isSize);
}

/** One number of NumPy's, from its data type and its bytes. */
function numpyScalar([type, content]: readonly unknown[]): number | boolean | undefined {
  if (!(type instanceof TorchName)) return undefined;
  const text = content instanceof Latin1 ? content.text : null;
  if (text !== null && text.length > 8) return undefined;
  const bytes = text === null ? content : Buffer.from(text, 'latin1');
  if (!(bytes instanceof Uint8Array)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const reader = numpyTypes.get(type.text);
  return reader !== undefined && reader.bytes === bytes.length ? reader.read(view) : undefined;
}

const numpyTypes = new Map<string, { bytes: number; read: (view: DataView) => number | boolean }>([
  ['f8', { bytes: 8, read: (view) => view.getFloat64(0, true) }],
  ['f4', { bytes: 4, read: (view) => view.getFloat32(0, true) }],
  ['i8', { bytes: 8, read: (view) => Number(view.getBigInt64(0, true)) }],
  ['i4', { bytes: 4, read: (view) => view.getInt32(0, true) }],
  ['b1', { bytes: 1, read: (view) => view.getUint8(0) !== 0 }],
]);
