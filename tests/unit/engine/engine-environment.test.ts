import { afterEach, describe, expect, it, vi } from 'vitest';
import { engineEnvironment } from '../../../src-main/engine/process/engine-environment.ts';

afterEach(() => vi.unstubAllEnvs());

describe('the environment of the engine’s process', () => {
  it.runIf(process.platform === 'linux')(
    'gives large freed pieces of memory back, unless somebody decided',
    () => {
      vi.stubEnv('MALLOC_MMAP_THRESHOLD_', undefined);
      expect(engineEnvironment().MALLOC_MMAP_THRESHOLD_).toBe('16777216');
      expect(engineEnvironment().PATH).toBe(process.env.PATH);
      vi.stubEnv('MALLOC_MMAP_THRESHOLD_', '1000');
      expect(engineEnvironment().MALLOC_MMAP_THRESHOLD_).toBe('1000');
    },
  );
});
