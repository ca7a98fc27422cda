import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { type StreamedTensor, streamSafetensors } from '../../../native-models/formats/safetensors-stream.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const tensor = (name: string, shape: readonly number[], chunks: Uint8Array[]): StreamedTensor => ({
  ...{ name, type: 'BF16', shape },
  chunks: () => chunks,
});

describe('a safetensors file that is written while its tensors are made', () => {
  it('holds them in order, chunk after chunk, with what is said of the file', async () => {
    const path = join(temporaryFolder(), 'written.safetensors');
    const [a, b] = [Uint8Array.of(0x80, 0x3f), Uint8Array.of(0, 0xc0, 0, 0)];
    await streamSafetensors(path, [tensor('x', [3], [a, b]), tensor('none', [0, 2], [])], { format: 'pt' });
    using file = new Safetensors(path);
    expect([...file.tensor('x').float32()]).toEqual([1, -2, 0]);
    expect(file.tensor('none').shape).toEqual([0, 2]);
    expect(readFileSync(path, 'latin1').slice(8)).toMatch(/^\{"__metadata__":\{"format":"pt"\},/);
  });

  it('refuses a tensor that gives more or fewer bytes than its shape takes, or a name given twice', async () => {
    const path = join(temporaryFolder(), 'refused.safetensors');
    for (const bytes of [0, 2, 6])
      await expect(streamSafetensors(path, [tensor('x', [2], [new Uint8Array(bytes)])])).rejects.toThrow(
        /x \[2\] takes 4 bytes/,
      );
    const twice = [tensor('x', [0], []), tensor('x', [0], [])];
    await expect(streamSafetensors(path, twice)).rejects.toThrow(/x is given twice/);
  });

  it('takes no more memory for a tensor of 256 MB than for its chunks', () => {
    const folder = temporaryFolder();
    const program = fileURLToPath(new URL('../../fixtures/export/stream-large.ts', import.meta.url));
    const path = join(folder, 'large.safetensors');
    const grown = Number(execFileSync(process.execPath, [program, path], { encoding: 'utf8' }));
    expect(statSync(path).size).toBeGreaterThan(2 ** 28 - 1);
    expect(grown).toBeLessThan(80e6);
  });
});
