import { ModelError } from '../errors.ts';
import { type BinaryFile, invalidFile } from './binary-file.ts';

const endSignature = 0x06054b50;
const endBytes = 22;
const commentLimit = 0xffff;
const bigLocatorSignature = 0x07064b50;
const bigLocatorBytes = 20;
const bigEndSignature = 0x06064b50;
const bigEndBytes = 56;
const entrySignature = 0x02014b50;
const entryBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;
const directoryLimit = 64 * 2 ** 20;
const entryLimit = 200_000;
/** Stands for a number that is in the entry's 64-bit extension. */
const elsewhere = 0xffffffff;
const bigExtension = 1;

/** A file in a zip, stored as it is. Its name is a label: it never becomes a path. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /**
   * Bytes from the start of the zip. Throws `file-invalid` or `file-truncated` when the entry's own head is wrong, `not-supported`
   * for an entry that is compressed or encrypted.
   */
  place(): number;
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/**
 * The entries of a zip by name, with 64-bit sizes where they are used. Writers of weights store them plainly, so that they can be
 * read in place. Throws `file-invalid` or `file-truncated`.
 */
export function readZipDirectory(file: BinaryFile): Map<string, ZipEntry> {
  const { offset, size, count } = findDirectory(file);
  if (size > directoryLimit)
    throw invalidFile(file.path, `a zip directory of ${size} bytes is not believable`);
  if (count > entryLimit) throw invalidFile(file.path, `a zip of ${count} entries is not believable`);
  if (count * entryBytes > size)
    throw invalidFile(file.path, `${count} entries do not fit its zip directory`);
  const bytes = file.read(offset, size, 'the zip directory');
  const view = new DataView(bytes.buffer);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let left = count; left > 0; left--) {
    const [entry, next] = readEntry(file, view, at);
    if (entries.has(entry.name)) throw invalidFile(file.path, `${entry.name} is in the zip twice`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

function findDirectory(file: BinaryFile): Directory {
  const tail = Math.min(file.size, endBytes + commentLimit);
  const start = file.size - tail;
  const bytes = file.read(start, tail, 'the end of the zip');
  const view = new DataView(bytes.buffer);
  for (let at = tail - endBytes; at >= 0; at--) {
    if (view.getUint32(at, true) !== endSignature) continue;
    if (at + endBytes + view.getUint16(at + 20, true) !== tail) continue;
    return bigDirectory(file, start + at) ?? smallDirectory(view, at);
  }
  throw invalidFile(file.path, 'it starts as a zip but has no zip directory: its end is missing');
}

function smallDirectory(view: DataView, at: number): Directory {
  return {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
}

/** The 64-bit directory, when a pointer to it stands right before the end. */
function bigDirectory(file: BinaryFile, end: number): Directory | null {
  if (end < bigLocatorBytes) return null;
  const locator = viewOf(file, end - bigLocatorBytes, bigLocatorBytes);
  if (locator.getUint32(0, true) !== bigLocatorSignature) return null;
  const big = viewOf(file, size64(file, locator, 8), bigEndBytes);
  if (big.getUint32(0, true) !== bigEndSignature)
    throw invalidFile(file.path, 'its 64-bit zip directory is not where it should be');
  return { count: size64(file, big, 32), size: size64(file, big, 40), offset: size64(file, big, 48) };
}

function readEntry(file: BinaryFile, view: DataView<ArrayBuffer>, at: number): [ZipEntry, next: number] {
  const left = view.byteLength - at;
  if (left < entryBytes || view.getUint32(at, true) !== entrySignature)
    throw invalidFile(file.path, `its zip directory is broken at byte ${at}`);
  const nameBytes = view.getUint16(at + 28, true);
  const extraBytes = view.getUint16(at + 30, true);
  const next = at + entryBytes + nameBytes + extraBytes + view.getUint16(at + 32, true);
  if (next > view.byteLength) throw invalidFile(file.path, `its zip directory is broken at byte ${at}`);
  const name = Buffer.from(view.buffer, at + entryBytes, nameBytes).toString('utf8');
  const isEncrypted = (view.getUint16(at + 8, true) & 1) === 1;
  const isPacked = view.getUint16(at + 10, true) !== 0;
  const extra = { view, at: at + entryBytes + nameBytes, bytes: extraBytes };
  const [size, packed, local] = wholeNumbers(file, extra, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ]);
  if (size !== packed && !isPacked)
    throw invalidFile(file.path, `${name} has two different sizes in the zip`);
  file.requireSize(local + localBytes + packed, name);
  const place = () => {
    if (isEncrypted || isPacked) throw notPlain(file, name, isEncrypted ? 'encrypted' : 'compressed');
    return contentPlace(file, name, local, size);
  };
  return [{ name, size, place }, next];
}

function notPlain(file: BinaryFile, name: string, how: string): ModelError {
  return new ModelError(
    'not-supported',
    `${file.path}: ${name} is ${how} in its zip.`,
    'Weights are stored plainly in such a file: save it anew with torch.save.',
  );
}

/** Numbers that do not fit 32 bits are in the extension, in this order. */
function wholeNumbers(
  file: BinaryFile,
  extra: { readonly view: DataView; readonly at: number; readonly bytes: number },
  [size, packed, local]: [size: number, packed: number, local: number],
): [size: number, packed: number, local: number] {
  const end = extra.at + extra.bytes;
  let at = extra.at;
  while (at + 4 <= end && extra.view.getUint16(at, true) !== bigExtension)
    at += 4 + extra.view.getUint16(at + 2, true);
  at += 4;
  const whole = (value: number) => {
    if (value !== elsewhere) return value;
    if (at + 8 > end) throw invalidFile(file.path, 'a 64-bit number is missing in its zip directory');
    at += 8;
    return size64(file, extra.view, at - 8);
  };
  return [whole(size), whole(packed), whole(local)];
}

/** Content follows the entry's own head, whose name and extension have their own lengths. */
function contentPlace(file: BinaryFile, name: string, local: number, size: number): number {
  const head = viewOf(file, local, localBytes);
  if (head.getUint32(0, true) !== localSignature)
    throw invalidFile(file.path, `${name} is not where the zip directory says`);
  const place = local + localBytes + head.getUint16(26, true) + head.getUint16(28, true);
  file.requireSize(place + size, name);
  return place;
}

function viewOf(file: BinaryFile, offset: number, length: number): DataView {
  return new DataView(file.read(offset, length, 'the zip directory').buffer);
}

function size64(file: BinaryFile, view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value))
    throw invalidFile(file.path, 'a size in its zip directory is not believable');
  return value;
}
