import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';

/** An open file: bytes at places. */
export interface OpenedFile {
  readonly isFile: boolean;
  readonly size: number;
  /** Fills the start of `target` with bytes at `offset`; gives how many there were, 0 at the end of the file. */
  readInto(target: Uint8Array, offset: number): number;
  close(): void;
}

/** Where the readers find files. All they ask of a file system goes through here. */
export interface FileAccess {
  /** Null when nothing is there. */
  kind(path: string): 'file' | 'folder' | null;
  /** Names of what lies in a folder. */
  list(folder: string): string[];
  /** Throws what the file system throws. */
  open(path: string): OpenedFile;
}

/** No more than this is read by one call, which takes its length as 31 bits. */
const largestRead = 2 ** 30;

const noFile: OpenedFile = { isFile: false, size: 0, readInto: () => 0, close() {} };

/** The files of this machine. */
export const diskAccess: FileAccess = {
  kind(path) {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) return null;
    return status.isDirectory() ? 'folder' : 'file';
  },
  list: (folder) => readdirSync(folder),
  open(path) {
    // What is no file is not opened: a pipe would wait for ever.
    if (!statSync(path).isFile()) return noFile;
    const descriptor = openSync(path, 'r');
    return {
      isFile: true,
      size: fstatSync(descriptor).size,
      readInto: (target, offset) =>
        readSync(descriptor, target, 0, Math.min(target.length, largestRead), offset),
      close: () => closeSync(descriptor),
    };
  },
};
