import { test as base, expect, type Page } from '@playwright/test';
import { homeWithBundle, RunningApp, removeHome } from './running-app.ts';

export { expect };

interface Fixtures {
  /** A home of this test alone. */
  home: string;
  app: RunningApp;
}

/** `page` is the screen of a freshly started app; a test fails on anything that the browser reports as an error. */
export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's dependencies from this pattern
  home: async ({}, use) => {
    const home = homeWithBundle();
    await use(home);
    removeHome(home);
  },
  app: async ({ home }, use) => {
    const app = await RunningApp.start(home);
    await use(app);
    await app.stop();
  },
  page: async ({ page, app }, use) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      // The browser itself reports each attempt to reach an app that a test has killed.
      const refused = message.text().includes('net::ERR_CONNECTION_REFUSED');
      if (message.type() === 'error' && !refused) errors.push(message.text());
    });
    await page.goto(app.address);
    await expect(messageField(page)).toBeVisible();
    await use(page);
    expect(errors).toEqual([]);
  },
});

export const messageField = (page: Page) => page.getByRole('textbox', { name: 'Message' });
export const micButton = (page: Page) =>
  page.getByRole('button', { name: /^(Talk|Recording|Opening|Saving)/ });
export const exchange = (page: Page, number: number) =>
  page.getByRole('article', { name: new RegExp(`^Exchange ${number}\\b`) });
/** The answer of an exchange, as text. */
export const answerText = (page: Page, number: number) => exchange(page, number).locator('.markdown');

export async function ask(page: Page, text: string) {
  await messageField(page).fill(text);
  await messageField(page).press('Enter');
}

/** Resolves when the answer of an exchange is whole: its figures are there. */
export async function answered(page: Page, number: number) {
  await expect(exchange(page, number)).toHaveAttribute('aria-busy', 'false');
  await expect(exchange(page, number).locator('.outcome')).toHaveText([]);
  await expect(exchange(page, number).getByText(/first word/)).toBeVisible();
  await expect(answerText(page, number)).not.toBeEmpty();
}
