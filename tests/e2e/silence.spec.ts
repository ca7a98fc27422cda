import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hearing } from './chromium.ts';
import { exchange, expect, micButton, test } from './fixtures.ts';

const bytes = 10 * 32_000;

/** Ten seconds of nothing: 16 kHz, mono, 16 bits. */
function silentWav(): Buffer {
  const wav = Buffer.alloc(44 + bytes);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + bytes, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(16_000, 24);
  wav.writeUInt32LE(32_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(bytes, 40);
  return wav;
}

const folder = mkdtempSync(join(tmpdir(), 'parlance-silence-'));
const file = join(folder, 'silence.wav');
writeFileSync(file, silentWav());

test.use({ launchOptions: hearing(file) });
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a muted microphone is noticed while recording, and silence is never answered', async ({ page }) => {
  await page.keyboard.press('F8');
  await expect(page.getByText(/No sound yet from .+\. It may be muted/)).toBeVisible();
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await page.keyboard.press('F8');
  await expect(exchange(page, 1)).toContainText('Nothing was heard');
  await expect(exchange(page, 1).locator('.markdown')).toBeEmpty();
});
