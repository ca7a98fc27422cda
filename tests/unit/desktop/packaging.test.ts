import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const require = createRequire(import.meta.url);
/** The packager's own reading and checking of its configuration: it has no other door to them. */
const packager = require('app-builder-lib/out/util/config/config');
const { DebugLogger } = require('builder-util');

const configuration = await packager.getConfig(root, null, null);

describe('the package', () => {
  it('is described in words that the packager knows', async () => {
    await expect(
      packager.validateConfiguration(configuration, new DebugLogger(false)),
    ).resolves.not.toThrow();
  });

  it('runs its own code only: every fuse that would let another program in is off', () => {
    expect(configuration.electronFuses).toEqual({
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
    });
    expect(configuration.asar).toBe(true);
  });

  it('is for Windows, macOS on both of its processors, and Linux', () => {
    expect(configuration.win.target).toBe('nsis');
    expect(configuration.mac.target).toEqual([{ target: 'dmg', arch: ['x64', 'arm64'] }]);
    expect(configuration.linux.target).toEqual(['AppImage', 'deb']);
  });

  it('asks for the microphone on macOS, in words and by right', () => {
    expect(configuration.mac.hardenedRuntime).toBe(true);
    expect(configuration.mac.extendInfo.NSMicrophoneUsageDescription).not.toBe('');
    const entitlements = join(root, configuration.mac.entitlements);
    expect(existsSync(entitlements)).toBe(true);
    expect(readFileSync(entitlements, 'utf8')).toContain('com.apple.security.device.audio-input');
  });

  it('keeps native modules outside of its archive', () => {
    expect(configuration.asarUnpack).toContain('**/*.node');
  });
});
