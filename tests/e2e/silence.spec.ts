import { fileURLToPath } from 'node:url';
import { hearing } from './chromium.ts';
import { exchange, expect, micButton, test } from './fixtures.ts';

// A tenth of a second of zeros; the fake microphone goes on silent when its file has ended.
const silence = fileURLToPath(new URL('../fixtures/e2e/silence.wav', import.meta.url));

test.use({ launchOptions: hearing(silence) });

test('a muted microphone is noticed while recording, and silence is never answered', async ({ page }) => {
  await page.keyboard.press('F8');
  await expect(page.getByText(/No sound yet from .+\. It may be muted/)).toBeVisible();
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await page.keyboard.press('F8');
  await expect(exchange(page, 1)).toContainText('Nothing was heard');
  await expect(exchange(page, 1).locator('.markdown')).toBeEmpty();
});
