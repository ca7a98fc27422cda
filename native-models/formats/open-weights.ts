import { join } from 'node:path';
import { ModelError } from '../errors.ts';
import { BinaryFile } from './binary-file.ts';
import { CTranslate2Model } from './ctranslate2.ts';
import { diskAccess, type FileAccess } from './file-access.ts';
import { Gguf } from './gguf.ts';
import { OnnxModel } from './onnx-reader.ts';
import { Safetensors } from './safetensors.ts';
import { ShardedWeights } from './sharded-weights.ts';
import type { OpenedWeights } from './tensor-source.ts';
import { TorchCheckpoint } from './torch-checkpoint.ts';

export type { OpenedWeights };

/** What a folder's weights are called, the form to be preferred first. */
const weightFiles = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'adapter_model.safetensors',
  'adapter_model.bin',
  'model.bin',
  'model.onnx',
];

/** Bytes that tell the formats apart. */
const headBytes = 512;

/**
 * Opens weights by their content, whatever their name: GGUF, safetensors, CTranslate2, a PyTorch zip, ONNX, the index of weights
 * in several files, or a folder with one of them (its
 * usual name, or the only file of a weight format). Throws `file-missing`, `not-supported` for what is none of these, and what
 * the reader throws.
 */
export function openWeights(path: string, access: FileAccess = diskAccess): OpenedWeights {
  const file = access.kind(path) === 'folder' ? weightsIn(path, access) : path;
  const { reader } = formatOf(file, access);
  return reader(file, access);
}

/** A shard holds tensors itself: an index that names indexes would have no end. */
function openShard(path: string, access: FileAccess): OpenedWeights {
  const { reader, mayBeShard } = formatOf(path, access);
  if (mayBeShard) return reader(path, access);
  throw new ModelError(
    'not-supported',
    `${path} is named as a part of weights in several files, but is neither safetensors nor a PyTorch zip.`,
    'Fetch the model again, or convert it to safetensors.',
  );
}

interface Format {
  readonly reader: (path: string, access: FileAccess) => OpenedWeights;
  readonly mayBeShard: boolean;
}

function weightsIn(folder: string, access: FileAccess): string {
  const names = access.list(folder);
  const usual = weightFiles.find((name) => names.includes(name));
  if (usual !== undefined) return join(folder, usual);
  const others = names.filter((name) => /\.(gguf|safetensors|pt|pth|bin|onnx)$/.test(name));
  const [only] = others;
  if (only !== undefined && others.length === 1) return join(folder, only);
  throw new ModelError(
    only === undefined ? 'file-missing' : 'not-supported',
    only === undefined
      ? `The folder ${folder} holds no weights.`
      : `The folder ${folder} holds several weight files: ${others.toSorted().slice(0, 8).join(', ')}.`,
    only === undefined
      ? `Its weights would be called ${weightFiles.join(', ')}.`
      : 'Name the one that is meant.',
  );
}

function formatOf(path: string, access: FileAccess): Format {
  const head = headOf(path, access);
  const text = Buffer.from(head.buffer).toString('latin1');
  const words = head.length < 8 ? [] : new Uint32Array(head.slice(0, 8).buffer);
  const [first = 0, second = 1] = words;
  if (text.startsWith('GGUF')) return { reader: (...file) => new Gguf(...file), mayBeShard: false };
  if (text[8] === '{' && second === 0)
    return { reader: (...file) => new Safetensors(...file), mayBeShard: true };
  if (first <= 16 && isCTranslate2(head))
    return { reader: (...file) => new CTranslate2Model(...file), mayBeShard: false };
  if (text.startsWith('PK')) return { reader: (...file) => new TorchCheckpoint(...file), mayBeShard: true };
  if (isOnnx(head)) return { reader: (...file) => new OnnxModel(...file), mayBeShard: false };
  if (/^\s*\{/.test(text))
    return { reader: (...file) => new ShardedWeights(...file, openShard), mayBeShard: false };
  throw unknown(path, text);
}

function headOf(path: string, access: FileAccess): Uint8Array<ArrayBuffer> {
  const file = new BinaryFile(path, access);
  try {
    return file.read(0, Math.min(file.size, headBytes), 'its start');
  } finally {
    file.close();
  }
}

/** A small version, then a printable name with the NUL that its length counts. */
function isCTranslate2(head: Uint8Array): boolean {
  const length = (head[4] ?? 0) | ((head[5] ?? 0) << 8);
  const name = Buffer.from(head.subarray(6, 5 + length)).toString('latin1');
  return length > 1 && head[5 + length] === 0 && /^[\w.-]+$/.test(name);
}

/** Protobuf's first field is ONNX's IR version; what follows is another field of the model. */
function isOnnx(head: Uint8Array): boolean {
  const [first, version = 0, next = 0] = head;
  return (
    first === 0x08 && version >= 1 && version < 32 && [2, 3, 4, 5, 6, 7, 8, 14, 20, 25].includes(next >> 3)
  );
}

/** What people take for weights, what it is, and what to do. */
const mistakes: readonly {
  readonly isIt: (text: string) => boolean;
  readonly fault: string;
  readonly hint: string;
}[] = [
  {
    isIt: (text) => text.startsWith('version https://git-lfs'),
    fault: 'a Git LFS pointer, not the file itself',
    hint: 'Fetch the file itself: `git lfs pull`, or download it.',
  },
  {
    isIt: (text) => /^\s*<(!doctype|html)/i.test(text),
    fault: 'a web page, not weights',
    hint: 'Download the file itself, not the page about it.',
  },
  {
    // The opcode PROTO and the number of a protocol.
    isIt: (text) => text.charCodeAt(0) === 0x80 && text.charCodeAt(1) >= 2 && text.charCodeAt(1) <= 5,
    fault: 'a bare pickle, as PyTorch before 1.6 wrote it',
    hint: 'Convert it in Python: torch.save(torch.load(path, weights_only=True), path).',
  },
];

function unknown(path: string, text: string): ModelError {
  const { fault, hint } = mistakes.find(({ isIt }) => isIt(text)) ?? {
    fault: 'of no known kind',
    hint: 'Give GGUF, safetensors, a PyTorch zip, CTranslate2 or ONNX, or a folder that holds them.',
  };
  return new ModelError('not-supported', `${path} cannot be read as weights: it is ${fault}.`, hint);
}
