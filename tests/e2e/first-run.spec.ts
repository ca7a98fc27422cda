import { ask, exchange, expect, messageField, test } from './fixtures.ts';
import { emptyHome, removeHome } from './running-app.ts';

test.use({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's dependencies from this pattern
  home: async ({}, use) => {
    const home = emptyHome();
    await use(home);
    removeHome(home);
  },
});

test('without a model the screen offers one, with size and licence, and keeps what is asked', async ({
  page,
}) => {
  await expect(
    page.getByRole('heading', { name: 'Parlance needs a model to hear and answer' }),
  ).toBeVisible();
  await expect(page.getByRole('button', { name: /^Download .* MB$/ })).toBeVisible();
  await expect(page.getByText(/to download, once/)).toContainText('Apache-2.0');

  await ask(page, 'What is the capital of France?');
  await expect(exchange(page, 1)).toContainText('Your question is kept');
  await expect(exchange(page, 1).getByRole('button', { name: /^Download/ })).toBeVisible();
  await page.reload();
  await expect(exchange(page, 1).getByText('What is the capital of France?')).toBeVisible();
  await expect(messageField(page)).toBeEnabled();
});
