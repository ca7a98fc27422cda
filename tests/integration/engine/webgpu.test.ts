import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTinyBundle } from '../../fixtures/engine/tiny-bundle.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

/** The software Vulkan driver inside Debian's chromium package. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const program = join(import.meta.dirname, '../../fixtures/engine/webgpu-answers.ts');

let folder: string;
let bundle: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-webgpu-'));
  bundle = await buildTinyBundle(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly text: string;
  readonly provider: string;
  readonly usage: { readonly promptTokens: number; readonly cachedTokens: number };
}

async function answersOn(provider: string): Promise<{ answers: Answer[]; log: string }> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [program, bundle, temporaryFolder(), provider],
    {
      env: {
        ...process.env,
        VK_ICD_FILENAMES: softwareDriver,
        VK_DRIVER_FILES: softwareDriver,
        XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
      },
    },
  );
  // A snapshot that could not be written or read back would be said here.
  expect(stderr).not.toContain('kv-snapshot');
  const lines = stdout.trim().split('\n');
  return { answers: lines.map((line) => JSON.parse(line) as Answer), log: stderr };
}

describe('on WebGPU, keys and values stay on the device', () => {
  const driver = existsSync(softwareDriver);
  if (!driver) console.warn(`WebGPU is not tested here: ${softwareDriver} (Debian's chromium) is missing.`);

  it.runIf(driver)(
    'and are extended, cut short, kept on disk and brought back with the CPU’s own answers',
    async () => {
      const { answers: onCpu, log: cpuLog } = await answersOn('cpu');
      const { answers: onGpu, log: gpuLog } = await answersOn('webgpu');
      expect(onGpu.map(({ provider }) => provider)).toEqual(Array(5).fill('webgpu'));
      expect(onGpu.map(({ text, usage }) => ({ text, usage }))).toEqual(
        onCpu.map(({ text, usage }) => ({ text, usage })),
      );
      // This driver computes attention wrongly over many positions at once: it is given few, and the log says why.
      expect(cpuLog).not.toContain('attention-wrong');
      expect(gpuLog).toMatch(/"attention-wrong-over-many-positions".*"positionsAtOnce":16/);
      expect(onGpu[0]?.usage.promptTokens).toBeGreaterThan(48);
      for (const { usage } of onGpu.slice(2)) expect(usage.cachedTokens).toBeGreaterThan(0);
    },
    240_000,
  );
});
