import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import { writeGeneratedGguf } from '../../fixtures/foundry/generated-gguf.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { blockTypes, superBlockTypes } from './stored-tensors.ts';

const sizes = { layers: 2, hidden: 1024, feedForward: 2816, heads: 16, kvHeads: 4, vocabulary: 2000 };

for (const type of [...blockTypes, ...superBlockTypes, null])
  it(`a bundle's LLM is no larger than 1.02 times the weights it came from: ${type ?? 'Q4_K_M mix'}`, async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'generated.gguf');
    const bytes = writeGeneratedGguf(path, sizes, type);
    const weights = new Gguf(path);
    await buildLlm({
      ...{ weights, sourceFolder: folder, architecture: null, lora: null },
      ...{ quantize: 'keep', target: 'webgpu', folder },
    });
    weights.close();
    const built = readdirSync(folder).filter((name) => /\.(onnx|data)$/.test(name));
    const written = built.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(written / bytes).toBeLessThan(1.02);
    expect(written).toBeGreaterThan(bytes);
  });

it('building takes memory for some rows of a matrix, not for the model, nor for the largest matrix', async () => {
  const bench = new URL('../../bench/build.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--no-warnings',
    bench,
    temporaryFolder(),
    'small',
  ]);
  const report = JSON.parse(stdout) as Record<string, number>;
  expect(report.megabytesIn).toBeGreaterThan(200);
  expect(report.ratio).toBeLessThan(1.02);
  // The vocabulary's matrix alone has 90 MB.
  expect((report.peakMegabytes ?? Number.NaN) - (report.peakBeforeMegabytes ?? Number.NaN)).toBeLessThan(90);
}, 120_000);
