import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { OpenModel } from '../llms/open-model.ts';

const adaptor = new URL('../../../resources/bundles/parlance-mini/adaptor.safetensors', import.meta.url);
const weightsFile = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/** The published language model's file, as `npm test` fetched it. */
export function openWeights(): Gguf {
  const folder = process.env.PARLANCE_TEST_WEIGHTS;
  if (folder === undefined)
    throw new Error('PARLANCE_TEST_WEIGHTS names no folder: run the tests with `npm test`, which fills one');
  return new Gguf(join(folder, weightsFile));
}

/** The default bundle's language model, built into a folder of its own. */
export class BuiltModel extends OpenModel {
  static async build(withLora: boolean): Promise<BuiltModel> {
    const folder = mkdtempSync(join(tmpdir(), 'parlance-llama-'));
    using gguf = openWeights();
    using tensors = new Safetensors(fileURLToPath(adaptor));
    const built = await buildLlm({
      ...{ weights: gguf, sourceFolder: folder, architecture: null, quantize: 'keep', target: 'cpu', folder },
      lora: withLora ? { tensors, rank: 8, alpha: 16, merged: false } : null,
    });
    return new BuiltModel(folder, built);
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true });
  }
}
