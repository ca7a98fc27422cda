import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeviceReport } from '../../../src-main/contract/index.ts';
import { forkEngine } from '../../../src-main/engine/process/forked-engine.ts';
import { chooseProvider, chosenOf, reportDevices } from '../../../src-main/models/devices.ts';
import { examine } from '../../../src-main/models/doctor.ts';
import { pullBundle } from '../../../src-main/models/install.ts';
import type { ModelsPlace } from '../../../src-main/models/place.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tinyCatalogue } from './tiny-catalogue.ts';

const failingProbe = fileURLToPath(new URL('../../fixtures/models/failing-probe.ts', import.meta.url));

/** Replaces the probe of every device but the CPU. */
function withProbe(place: ModelsPlace, how: string): ModelsPlace {
  return {
    ...place,
    startProcess: (module, args) =>
      args[0]?.includes('"cpu"') ? place.startProcess(module, args) : forkEngine(failingProbe, [how]),
  };
}

function report(reports: readonly DeviceReport[], provider: string): DeviceReport | undefined {
  return reports.find((each) => each.provider === provider);
}

describe('devices', () => {
  it('every provider of this platform is tried; the CPU works, with its measured step', async () => {
    const { place } = await tinyCatalogue();
    const reports = await reportDevices({ place });
    expect(report(reports, 'cpu')).toMatchObject({ works: true, reason: null });
    expect(report(reports, 'cpu')?.stepMs).toBeGreaterThan(0);
    expect(reports.at(-1)?.provider).toBe('cpu');
    for (const { works, reason } of reports) if (!works) expect(reason).not.toBe('');
    if (process.platform === 'linux')
      expect(reports.map(({ provider }) => provider)).toEqual(['cuda', 'webgpu', 'cpu']);
  });

  it('what one that was killed while trying left behind is removed', async () => {
    const { place } = await tinyCatalogue();
    const gone = spawnSync(process.execPath, ['--eval', '']).pid;
    const left = mkdtempSync(join(tmpdir(), `parlance-devices-${gone}-`));
    const ours = mkdtempSync(join(tmpdir(), `parlance-devices-${process.ppid}-`));
    onTestFinished(() => rmSync(ours, { recursive: true }));
    await reportDevices({ place });
    expect(existsSync(left)).toBe(false);
    expect(existsSync(ours)).toBe(true);
    const own = readdirSync(tmpdir()).filter((name) => name.startsWith(`parlance-devices-${process.pid}-`));
    expect(own).toEqual([]);
  });

  it('what was found is kept, until the machine changes or somebody asks again', async () => {
    const { place } = await tinyCatalogue();
    const started = vi.fn(place.startProcess);
    const watched: ModelsPlace = { ...place, startProcess: started };
    const first = await reportDevices({ place: watched });
    const tried = started.mock.calls.length;
    expect(await reportDevices({ place: watched })).toEqual(first);
    expect(started).toHaveBeenCalledTimes(tried);
    await reportDevices({ place: { ...watched, environment: { VK_DRIVER_FILES: '/another/driver.json' } } });
    expect(started).toHaveBeenCalledTimes(2 * tried);
    writeFileSync(place.home.devicesFile, 'not what was written');
    await reportDevices({ place: watched });
    expect(started).toHaveBeenCalledTimes(3 * tried);
  });

  it('a driver that crashes is named with its signal and its last words; the CPU is used', async () => {
    const { place } = await tinyCatalogue();
    const fragile = withProbe(place, 'crash');
    const reports = await reportDevices({ place: fragile });
    expect(report(reports, 'webgpu')).toEqual({
      provider: 'webgpu',
      works: false,
      reason: 'crashed with signal SIGSEGV (driver: out of luck)',
      stepMs: null,
    });
    expect(await chooseProvider({ place: fragile })).toBe('cpu');
  });

  it('a driver that hangs is ended after the limit', async () => {
    const { place } = await tinyCatalogue();
    const reports = await reportDevices({ place: withProbe(place, 'hang'), limitMs: 3_000 });
    expect(report(reports, 'webgpu')?.reason).toContain('did not finish within 3 s');
  });

  it('a temporary folder that cannot be written: nothing is known, the CPU is used, nothing is kept', async () => {
    const { place } = await tinyCatalogue();
    vi.stubEnv('TMPDIR', '/proc');
    try {
      const reports = await reportDevices({ place });
      expect(report(reports, 'cpu')?.reason).toContain('could not be tried');
      expect(await chooseProvider({ place })).toBe('cpu');
      expect(existsSync(place.home.devicesFile)).toBe(false);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('the first that works and beats the CPU is chosen', () => {
    const works = (provider: 'cuda' | 'webgpu' | 'cpu', reason: string | null = null): DeviceReport => ({
      ...{ provider, works: true, stepMs: 1 },
      reason,
    });
    expect(chosenOf([works('cuda'), works('webgpu'), works('cpu')])).toBe('cuda');
    expect(chosenOf([works('webgpu', 'works, but slower'), works('cpu')])).toBe('cpu');
    expect(chosenOf([])).toBe('cpu');
  });
});

describe('WebGPU on a software driver', () => {
  const libraries = '/usr/lib/chromium';
  const driver = join(libraries, 'vk_swiftshader_icd.json');

  it('takes a real step, is seen to compute wrong numbers over many positions at once, and is used only by name', async () => {
    if (!existsSync(driver)) {
      console.log(
        `not tested: there is no software Vulkan driver at ${driver} (Debian’s chromium brings it)`,
      );
      return;
    }
    const { place } = await tinyCatalogue();
    const environment = {
      VK_ICD_FILENAMES: driver,
      VK_DRIVER_FILES: driver,
      LD_LIBRARY_PATH: libraries,
      XDG_RUNTIME_DIR: temporaryFolder(),
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    try {
      const reports = await reportDevices({ place: { ...place, environment } });
      expect(report(reports, 'webgpu')).toMatchObject({
        works: true,
        reason: expect.stringMatching(
          /^works, but computes wrong numbers over 48 positions at once; .* in pieces of 16; a step takes /,
        ),
      });
      expect(await chooseProvider({ place: { ...place, environment } })).toBe('cpu');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('the doctor', () => {
  it('a sound machine: everything is fine, and nothing personal is told', async () => {
    const { place, home } = await tinyCatalogue();
    await pullBundle('tiny', { place, keepDownloads: true });
    const checks = await examine({ place, checkDatabase: async () => 'whole' });
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual([
      'Node',
      'data folder',
      'free disk space',
      'database',
      'bundle',
      'onnxruntime',
      'devices',
      'microphone',
    ]);
    expect(JSON.stringify(checks)).not.toContain(home);
  });

  it('what is wrong is said with what to do', async () => {
    const { place } = await tinyCatalogue();
    const checks = await examine({
      place,
      checkDatabase: () => Promise.reject(new Error('page 3 is damaged')),
    });
    const wrong = Object.fromEntries(checks.filter(({ ok }) => !ok).map((check) => [check.name, check]));
    expect(wrong.database).toMatchObject({ detail: 'page 3 is damaged' });
    expect(wrong.bundle).toMatchObject({
      detail: 'none is installed',
      hint: expect.stringContaining('pull'),
    });
    expect(wrong['data folder']?.hint).not.toBeNull();
  });

  it('a changed bundle is found', async () => {
    const { place } = await tinyCatalogue();
    await pullBundle('tiny', { place });
    const part = join(place.home.models, 'tiny/whisper-encoder.onnx');
    const bytes = readFileSync(part);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(part, bytes);
    const checks = await examine({ place, checkDatabase: async () => 'whole' });
    expect(checks.find(({ name }) => name === 'bundle')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('whisper-encoder.onnx'),
    });
  });
});
