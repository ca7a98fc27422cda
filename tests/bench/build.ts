// Time, memory and size of building a language model from a generated GGUF file of llama.cpp's Q4_K_M mix:
//   node tests/bench/build.ts FOLDER [7B|small]
// Writes the file into FOLDER unless it is there, builds it beside it, prints one line of JSON and removes both.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildLlm } from '../../native-models/architectures/llms/build-llm.ts';
import { Gguf } from '../../native-models/formats/gguf.ts';
import { type GeneratedSizes, writeGeneratedGguf } from '../fixtures/foundry/generated-gguf.ts';

/** 7.2 billion weights, and 370 million. */
const models: Readonly<Record<string, GeneratedSizes>> = {
  '7B': { layers: 32, hidden: 4096, feedForward: 14_336, heads: 32, kvHeads: 8, vocabulary: 32_000 },
  small: { layers: 4, hidden: 2048, feedForward: 5632, heads: 32, kvHeads: 8, vocabulary: 48_000 },
};

const [folder, model = '7B'] = process.argv.slice(2);
const sizes = models[model];
if (folder === undefined || sizes === undefined)
  throw new Error(`usage: node tests/bench/build.ts FOLDER [${Object.keys(models).join('|')}]`);

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
const gguf = join(folder, `${model}.gguf`);
const out = join(folder, `${model}.built`);
if (existsSync(out)) throw new Error(`${out} is in the way`);
mkdirSync(out, { recursive: true });
try {
  const bytesIn = writeGeneratedGguf(gguf, sizes);
  const rssBefore = process.resourceUsage().maxRSS * 1024;
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const weights = new Gguf(gguf);
  await buildLlm({
    ...{ weights, sourceFolder: folder, architecture: null, lora: null },
    ...{ quantize: 'keep', target: 'webgpu', folder: out },
  });
  weights.close();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const written = readdirSync(out).filter((name) => name.endsWith('.onnx') || name.endsWith('.data'));
  const bytesOut = written.reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
  const report = {
    ...{
      model,
      seconds: Number(seconds.toFixed(1)),
      cpuSeconds: Math.round((user + system) / 1e5) / 10,
      megabytesIn: megabytes(bytesIn),
    },
    ratio: Number((bytesOut / bytesIn).toFixed(4)),
    peakMegabytes: megabytes(process.resourceUsage().maxRSS * 1024),
    peakBeforeMegabytes: megabytes(rssBefore),
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
} finally {
  rmSync(gguf, { force: true });
  rmSync(out, { recursive: true });
}
