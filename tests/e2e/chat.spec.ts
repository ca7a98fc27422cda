import { readFileSync } from 'node:fs';
import { samplePath } from './chromium.ts';
import { answered, answerText, ask, exchange, expect, messageField, micButton, test } from './fixtures.ts';

const sample = 'question-capital-of-france.wav';

test('a typed question is answered, its figures are shown, and both are there after a reload', async ({
  page,
}) => {
  await ask(page, 'Name three colours.');
  await expect(exchange(page, 1).getByText('Name three colours.')).toBeVisible();
  await answered(page, 1);
  const text = (await answerText(page, 1).textContent()) ?? '';

  await page.reload();
  await expect(exchange(page, 1).getByText('Name three colours.')).toBeVisible();
  await expect(answerText(page, 1)).toHaveText(text);
  await expect(page.getByRole('contentinfo', { name: 'Engine status' })).toContainText('CPU, measured');
});

test('a follow-up stands in the same conversation', async ({ page }) => {
  await ask(page, 'What is the capital of France?');
  await answered(page, 1);
  await ask(page, 'And which river flows through it?');
  await answered(page, 2);
  await expect(page.getByRole('navigation', { name: 'Conversation list' }).getByRole('link')).toHaveCount(1);
});

test('the answer is seen while it is written, and Stop keeps what is there', async ({ page }) => {
  await ask(page, 'Write a long story about a river and the people who live beside it.');
  await expect(answerText(page, 1)).not.toBeEmpty();
  await expect(exchange(page, 1)).toHaveAttribute('aria-busy', 'true');

  await page.getByRole('button', { name: 'Stop the answer' }).click();
  await expect(exchange(page, 1).getByText('Stopped', { exact: true })).toBeVisible();
  await expect(answerText(page, 1)).not.toBeEmpty();
  await expect(page.getByRole('button', { name: 'Stop the answer' })).toHaveCount(0);

  const kept = (await answerText(page, 1).textContent()) ?? '';
  await page.reload();
  await expect(answerText(page, 1)).toHaveText(kept);
});

test('a window opened in mid-answer shows the answer from its beginning, and how it goes on', async ({
  page,
}) => {
  await ask(page, 'Write a long story about a river and the people who live beside it.');
  await expect(answerText(page, 1)).not.toBeEmpty();
  const beginning = ((await answerText(page, 1).textContent()) ?? '').slice(0, 10);
  await page.reload();
  await expect(exchange(page, 1)).toHaveAttribute('aria-busy', 'true');
  await expect(answerText(page, 1)).toContainText(beginning);
  const length = async () => ((await answerText(page, 1).textContent()) ?? '').length;
  const before = await length();
  await expect.poll(length).toBeGreaterThan(before);
  await expect(exchange(page, 1)).toHaveAttribute('aria-busy', 'true');
  await page.getByRole('button', { name: 'Stop the answer' }).click();
  await expect(exchange(page, 1).getByText('Stopped', { exact: true })).toBeVisible();
});

test('a dropped WAV is stored, heard and answered', async ({ page }) => {
  const bytes = readFileSync(samplePath(sample)).toString('base64');
  const dataTransfer = await page.evaluateHandle(`(() => {
    const bytes = Uint8Array.from(atob('${bytes}'), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], '${sample}', { type: 'audio/wav' }));
    return transfer;
  })()`);
  await page.dispatchEvent('main', 'dragenter', { dataTransfer });
  await expect(page.getByText('Drop a WAV file to ask it')).toBeVisible();
  await page.dispatchEvent('main', 'drop', { dataTransfer });

  await expect(exchange(page, 1).getByRole('button', { name: /Play what you said/ })).toBeVisible();
  await answered(page, 1);
  await exchange(page, 1).getByText('Heard as').click();
  await expect(exchange(page, 1).locator('.heard .full')).toContainText(/capital of france/i);
});

test('a file that is no sound is refused in plain words, and nothing is asked', async ({ page }) => {
  await page
    .locator('#attach')
    .setInputFiles({ name: 'notes.wav', mimeType: 'audio/wav', buffer: Buffer.from('only text in here') });
  await expect(page.getByRole('alert')).toContainText('notes.wav');
  await expect(page.getByRole('article')).toHaveCount(0);
});

test('without a microphone the person is told, and can go on typing', async ({ page }) => {
  await page.keyboard.press('F8');
  await expect(page.getByRole('alert')).toContainText('No microphone was found.');
  await expect(micButton(page)).toHaveAttribute('aria-pressed', 'false');
  await ask(page, 'Say hello.');
  await answered(page, 1);
});

test('a conversation is renamed, pinned, found, deleted, and brought back', async ({ page }) => {
  const list = page.getByRole('navigation', { name: 'Conversation list' });
  await ask(page, 'Say hello.');
  await answered(page, 1);

  await page.getByRole('button', { name: 'Rename conversation' }).click();
  await page.getByRole('textbox', { name: 'New name of the conversation' }).fill('Greetings');
  await page.keyboard.press('Enter');
  await expect(list.getByRole('link', { name: 'Greetings' })).toBeVisible();

  await page.getByRole('button', { name: 'Pin conversation' }).click();
  await expect(list.getByRole('heading', { name: 'Pinned' })).toBeVisible();

  await page.keyboard.press('Control+K');
  await page.keyboard.type('nothing like this');
  await expect(list).toContainText('No match');
  await page.getByRole('searchbox').fill('hello');
  await expect(list.getByRole('link', { name: 'Greetings' })).toBeVisible();
  await page.getByRole('searchbox').fill('');

  await page.getByRole('button', { name: 'More conversation actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(list.getByRole('link', { name: 'Greetings' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(list.getByRole('link', { name: 'Greetings' })).toBeVisible();
  await expect(exchange(page, 1).getByText('Say hello.')).toBeVisible();
});

test('an answer can be written again; both versions stay', async ({ page }) => {
  await ask(page, 'Name a fruit.');
  await answered(page, 1);
  await page.getByRole('button', { name: 'Write the answer again' }).click();
  await expect(exchange(page, 1).getByText('2 / 2')).toBeVisible();
  await answered(page, 1);
  await page.getByRole('button', { name: 'Previous version' }).click();
  await expect(exchange(page, 1).getByText('1 / 2')).toBeVisible();
});

test('everything is reached from the keyboard', async ({ page }) => {
  await messageField(page).focus();
  await page.keyboard.type('Say hello.');
  await page.keyboard.press('Enter');
  await answered(page, 1);
  await page.keyboard.press('Control+Shift+O');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('New conversation');
  await page.keyboard.press('Control+B');
  await expect(page.getByRole('complementary', { name: 'Conversations' })).toHaveCount(0);
  await page.keyboard.press('Control+B');
  await expect(page.getByRole('complementary', { name: 'Conversations' })).toBeVisible();
  await page.keyboard.press('Control+2');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Models and devices');
  await expect(page.getByRole('region', { name: 'CPU' })).toBeVisible();
  await page.keyboard.press('Control+,');
  await expect(page.getByLabel('Colours')).toBeVisible();
});
