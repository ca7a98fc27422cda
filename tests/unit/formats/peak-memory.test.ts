import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dict, pickle, tensor } from '../../fixtures/formats/pickle-steps.ts';
import { zipBytes } from '../../fixtures/formats/zip-bytes.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { GgufWriter } from './gguf-writer.ts';

const program = fileURLToPath(new URL('../../fixtures/formats/peak-memory.ts', import.meta.url));
const elements = 1 << 25;

/** A file of this start and a hole of zeros, which takes no room on most disks. */
function largeFile(head: Uint8Array, size: number): string {
  const path = join(temporaryFolder(), 'large');
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, head);
  ftruncateSync(descriptor, head.length + size);
  closeSync(descriptor);
  return path;
}

function safetensorsOf(type: string, bytes: number): string {
  const header = Buffer.from(
    JSON.stringify({ large: { dtype: type, shape: [elements / 1024, 1024], data_offsets: [0, bytes] } }),
  );
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return largeFile(Buffer.concat([length, header]), bytes);
}

const ggufOf = (code: number, bytes: number) =>
  largeFile(
    new GgufWriter()
      .head(1, 0)
      .tensor('large', [1024, elements / 1024], code, 0)
      .align()
      .bytes(),
    bytes,
  );

/** A matrix of halves, stored with its columns one after another. */
function checkpointOf(): string {
  const view = tensor('0', elements, 0, [1024, elements / 1024], [1, 1024], 'HalfStorage');
  const zip = zipBytes([
    ['m/data.pkl', pickle(dict({ large: view }))],
    ['m/data/0', Buffer.alloc(2 * elements)],
  ]);
  return largeFile(zip, 0);
}

describe('a tensor of 128 MB in single precision', () => {
  it.each([
    ['F32', () => safetensorsOf('F32', 4 * elements)],
    ['F16', () => safetensorsOf('F16', 2 * elements)],
    ['BF16', () => safetensorsOf('BF16', 2 * elements)],
    ['F16 turned round', checkpointOf],
    ['Q8_0', () => ggufOf(8, (elements / 32) * 34)],
    ['Q4_K', () => ggufOf(12, (elements / 256) * 144)],
  ])('is read from %s in less than 1.3 times its size', (_, file) => {
    const { peak, bytes } = JSON.parse(
      execFileSync(process.execPath, ['--no-warnings', program, file(), 'large'], { encoding: 'utf8' }),
    );
    expect(bytes).toBe(4 * elements);
    expect(peak).toBeLessThan(1.3 * bytes);
  });
});
