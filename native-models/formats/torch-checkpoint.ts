import { ModelError } from '../errors.ts';
import { type BinaryFile, invalidFile } from './binary-file.ts';
import type { FileAccess } from './file-access.ts';
import { readPickle } from './pickle-reader.ts';
import { PlainTensor } from './plain-tensor.ts';
import { plainTypeBits } from './plain-types.ts';
import { StridedTensor } from './strided-tensor.ts';
import { TensorFile } from './tensor-file.ts';
import type { LazyTensor } from './tensor-source.ts';
import { type Setting, torchContents } from './torch-contents.ts';
import { type TorchTensor, torchLibrary } from './torch-library.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

const pickleLimit = 32 * 2 ** 20;

/**
 * A file of `torch.save` (a zip, as PyTorch 1.6 and later write it): a pickle that is read as data, never run, and storages that
 * are read in place. Tensors have the names of the dicts and lists that hold them, joined by dots: `{"model": {"a.weight": t}}`
 * gives `model.a.weight`, the second entry of a list `moments` gives `moments.1`, a tensor saved alone is called `tensor`.
 * `tensorsUnder(checkpoint, 'model.')` gives the names without what stands before them. Everything else is in `settings`.
 */
export class TorchCheckpoint extends TensorFile {
  /** Numbers, texts, lists, dicts and Namespaces of the file; entries that are tensors are left out, and null in lists. */
  readonly settings: Setting;

  /**
   * Throws `file-missing`, `file-truncated`, `file-invalid`, and `not-supported` for what is not on the list of what a checkpoint
   * may hold, naming it.
   */
  constructor(path: string, access?: FileAccess) {
    let settings: Setting = null;
    super(
      path,
      (file) => {
        const zip = openZip(file);
        const contents = torchContents(path, readPickle(path, zip.pickle(), torchLibrary));
        settings = contents.settings;
        return new Map(
          Array.from(contents.tensors, ([name, tensor]) => [name, tensorAt(file, zip, name, tensor)]),
        );
      },
      access,
    );
    this.settings = settings;
  }
}

interface TorchZip {
  pickle(): Uint8Array<ArrayBuffer>;
  /** Where a storage lies, in bytes from the start of the file. Throws unless it has `bytes` at least. */
  storage(key: string, bytes: number): number;
}

/** The zip's entries lie in one folder, called after the file or anything else: the one with the pickle. */
function openZip(file: BinaryFile): TorchZip {
  const entries = readZipDirectory(file);
  const pickles = [...entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1)
    throw unsupported(file, `is a zip, but none of torch.save: it has ${pickles.length} data.pkl`);
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`))
    throw unsupported(file, 'is a TorchScript program, not a file of weights');
  const order = entries.get(`${folder}byteorder`);
  if (order !== undefined && !isLittleEndian(file, order))
    throw unsupported(file, 'was written on a machine of the other byte order');
  if (pickle.size > pickleLimit)
    throw invalidFile(file.path, `a pickle of ${pickle.size} bytes is not believable`);
  const places = new Map<string, number>();
  return {
    pickle: () => file.read(pickle.place(), pickle.size, 'data.pkl'),
    storage(key, bytes) {
      const entry = entries.get(`${folder}data/${key}`);
      if (entry === undefined) throw invalidFile(file.path, `its storage ${key.slice(0, 100)} is missing`);
      if (entry.size < bytes)
        throw invalidFile(file.path, `its storage ${key} has ${entry.size} bytes, not ${bytes}`);
      const place = places.get(key) ?? entry.place();
      places.set(key, place);
      return place;
    },
  };
}

function isLittleEndian(file: BinaryFile, { name, size, place }: ZipEntry): boolean {
  return size === 6 && Buffer.from(file.read(place(), size, name)).toString('latin1') === 'little';
}

function unsupported(file: BinaryFile, fault: string): ModelError {
  return new ModelError(
    'not-supported',
    `${file.path} ${fault}.`,
    'Save the model’s state_dict with torch.save, or convert it to safetensors.',
  );
}

function tensorAt(file: BinaryFile, zip: TorchZip, name: string, tensor: TorchTensor): LazyTensor {
  const { storage, type, offset, shape, strides } = tensor;
  const elementBytes = plainTypeBits[type] / 8;
  const count = shape.reduce((product, size) => product * size, 1);
  const end = shape.reduce((last, size, i) => last + (size - 1) * (strides[i] ?? 0), offset) + 1;
  const place = zip.storage(storage.key, storage.bytes) + offset * elementBytes;
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(place))
    throw invalidFile(file.path, `${name} [${shape.join(', ')}] is not believable`);
  if (count > 0 && !(end * elementBytes <= storage.bytes))
    throw invalidFile(
      file.path,
      `${name} [${shape.join(', ')}] reaches beyond its storage of ${storage.bytes} bytes`,
    );
  if (count === 0) return new PlainTensor(file, { name, type, shape, offset: 0, length: 0 });
  if (isRowAfterRow(shape, strides))
    return new PlainTensor(file, { name, type, shape, offset: place, length: count * elementBytes });
  return new StridedTensor(file, { name, type, shape, strides, offset: place, elementBytes });
}

/** Dimensions of one element may have any stride. */
function isRowAfterRow(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i] ?? 1;
  }
  return true;
}
