import type { Page } from '@playwright/test';
import { samplePath } from './chromium.ts';
import { answered, ask, expect, test } from './fixtures.ts';

/** Roles that mean nothing without a name; in an ARIA snapshot a missing name leaves the role alone on its line. */
const nameless = /^\s*- (button|link|textbox|searchbox|combobox|menuitem|checkbox|progressbar)(:| \[.*\])?$/;

async function expectNames(page: Page) {
  const lines = (await page.locator('body').ariaSnapshot()).split('\n');
  expect(lines.filter((line) => nameless.test(line))).toEqual([]);
}

test('every control has a name, on every page, wide and narrow, light and dark', async ({ page }) => {
  await page.locator('#attach').setInputFiles(samplePath('question-why-is-the-sky-blue.wav'));
  await answered(page, 1);
  await ask(page, 'Write a line of Python that prints the days of the week, as a code block.');
  await answered(page, 2);
  const shot = (name: string) => page.screenshot({ path: `test-results/looks/${name}.png` });

  await expectNames(page);
  await shot('chat-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('chat-dark');
  await page.emulateMedia({ colorScheme: 'light', contrast: 'more' });
  await shot('chat-contrast');
  await page.emulateMedia({ contrast: 'no-preference' });
  await page.setViewportSize({ width: 720, height: 800 });
  await shot('chat-720');
  await page.keyboard.press('Control+B');
  await expect(page.getByRole('complementary', { name: 'Conversations' })).toBeVisible();
  await expectNames(page);
  await shot('drawer-720');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('complementary', { name: 'Conversations' })).toHaveCount(0);

  for (const width of [360, 720, 1280, 3840]) {
    await page.setViewportSize({ width, height: 800 });
    for (const hash of ['#/chat', '#/models', '#/settings']) {
      await page.goto(`${new URL(page.url()).origin}/${hash}`);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
      expect(overflow, `${hash} at ${width} pixels`).toBeLessThanOrEqual(0);
      await expectNames(page);
      await shot(`${hash.slice(2)}-${width}`);
    }
  }
});

test('the chosen colours stay after a reload', async ({ page }) => {
  await page.keyboard.press('Control+,');
  await page.getByLabel('Colours').selectOption('dark');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
