import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron } from '@playwright/test';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The Electron binary; null where it could not be fetched. */
function electronBinary(): string | null {
  const folder = join(root, 'node_modules', 'electron');
  const named = join(folder, 'path.txt');
  if (!existsSync(named)) return null;
  const binary = join(folder, 'dist', readFileSync(named, 'utf8').trim());
  return existsSync(binary) ? binary : null;
}

/** Why the real window cannot be opened here; null when it can. */
function obstacle(binary: string | null): string | null {
  if (binary === null) return 'the Electron binary could not be fetched';
  if (!existsSync(join(root, 'out', 'main', 'electron.js'))) return 'the desktop app is not built';
  const { platform, env } = process;
  return platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY ? 'there is no display' : null;
}

const binary = electronBinary();
const reason = obstacle(binary);
if (reason !== null) console.log(`not run in a real Electron window: ${reason}`);

it.skipIf(reason !== null)(
  'the real window shows the screen, which reaches nothing but its own main process',
  async () => {
    const home = temporaryFolder();
    // Chromium does not run as root inside its own sandbox; nobody but a test does that.
    const unsandboxed = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const app = await _electron.launch({
      executablePath: binary ?? '',
      args: [...unsandboxed, root],
      env: { ...process.env, PARLANCE_HOME: home } as Record<string, string>,
    });
    try {
      const page = await app.firstWindow();
      expect(await page.title()).toContain('Parlance');
      expect(await page.evaluate('window.location.origin')).toBe('parlance://app');
      expect(await page.evaluate('window.isSecureContext')).toBe(true);
      expect(await page.evaluate('typeof window.require + typeof window.process')).toBe('undefinedundefined');
      expect(await page.evaluate('Object.keys(window.parlance).join()')).toBe('connect');
      const leaving = "fetch('https://example.org').then(() => 'left', () => 'stayed')";
      expect(await page.evaluate(leaving)).toBe('stayed');
      expect(await page.evaluate("window.open('https://example.org') === null")).toBe(true);
      await page.getByRole('textbox').first().waitFor();
    } finally {
      await app.close();
    }
    expect(existsSync(join(home, 'parlance.db'))).toBe(true);
  },
);
