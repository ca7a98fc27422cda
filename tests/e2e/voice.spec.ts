import { hearing, samplePath } from './chromium.ts';
import { answered, exchange, expect, messageField, micButton, test } from './fixtures.ts';
import { RunningApp } from './running-app.ts';

test.use({ launchOptions: hearing(samplePath('question-capital-of-france.wav')) });

test('a question spoken while the button is held is answered, and plays after a reload', async ({ page }) => {
  await micButton(page).hover();
  await page.mouse.down();
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await page.mouse.up();

  await expect(exchange(page, 1)).toHaveAttribute('aria-busy', 'true');
  await answered(page, 1);
  await exchange(page, 1).getByText('Heard as').click();
  await expect(exchange(page, 1).locator('.heard .full')).toContainText(/capital/i);

  await page.reload();
  await exchange(page, 1)
    .getByRole('button', { name: /Play what you said, \d+ seconds/ })
    .click();
  await expect(exchange(page, 1).getByRole('button', { name: /Pause what you said/ })).toBeVisible();
  await expect(exchange(page, 1).locator('.duration')).toHaveText(/0:0[1-9] \/ 0:0\d/);
});

test('F8 talks without holding, and a typed question follows a spoken one', async ({ page }) => {
  await page.keyboard.press('F8');
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await page.keyboard.press('F8');
  await answered(page, 1);
  await messageField(page).fill('Say it again in one word.');
  await page.keyboard.press('Enter');
  await answered(page, 2);
});

test('Space held in the empty field talks; Esc throws the recording away', async ({ page }) => {
  await messageField(page).focus();
  await page.keyboard.down('Space');
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:0[1-9]/);
  await page.keyboard.press('Escape');
  await page.keyboard.up('Space');
  await expect(micButton(page)).toHaveAttribute('aria-pressed', 'false');
  await expect(page.getByRole('article')).toHaveCount(0);
  await expect(messageField(page)).toHaveValue('');
});

test('a spoken question can be compared: the other engine answers the same sound', async ({ page }) => {
  await page.keyboard.press('F8');
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await page.keyboard.press('F8');
  await answered(page, 1);
  const figures = exchange(page, 1).locator('.timing');
  const first = (await figures.textContent())?.includes('Speech LLM') ? 'Speech LLM' : 'Whisper + LLM';
  const other = first === 'Speech LLM' ? 'Whisper + LLM' : 'Speech LLM';
  await exchange(page, 1).getByRole('button', { name: 'Compare' }).click();
  await page.getByRole('menuitem', { name: `Answer with ${other}` }).click();
  await expect(exchange(page, 1).getByText('2 / 2')).toBeVisible();
  await expect(figures).toContainText(other);
});

test('sound is on the disk while it is spoken: killed in mid-sentence, it is offered again', async ({
  page,
  app,
  home,
}) => {
  await page.keyboard.press('F8');
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await app.kill();
  await expect(page.getByText('Parlance does not answer at the moment.')).toBeVisible();

  const again = await RunningApp.start(home);
  const fresh = await page.context().newPage();
  await fresh.goto(again.address);
  await expect(fresh.getByText(/A recording of \d+ seconds was not sent\./)).toBeVisible();
  await fresh.getByRole('button', { name: 'Answer now' }).click();
  await answered(fresh, 1);
  await again.stop();
});

test('a window reloaded in mid-sentence offers what was said', async ({ page }) => {
  await page.keyboard.press('F8');
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await page.reload();
  await expect(page.getByText(/A recording of \d+ seconds was not sent\./)).toBeVisible();
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByText(/was not sent/)).toHaveCount(0);
  await page.reload();
  await expect(messageField(page)).toBeVisible();
  await expect(page.getByText(/was not sent/)).toHaveCount(0);
});

test('a browser that gives the microphone only at its own rate is heard as well', async ({ page }) => {
  await page.addInitScript(`{
    const connect = AudioContext.prototype.createMediaStreamSource;
    AudioContext.prototype.createMediaStreamSource = function (stream) {
      if (this.sampleRate === 16000) throw new DOMException('Another rate', 'NotSupportedError');
      return connect.call(this, stream);
    };
  }`);
  await page.reload();
  await page.keyboard.press('F8');
  await expect(micButton(page)).toHaveAccessibleName(/Recording, 0:03/);
  await page.keyboard.press('F8');
  await answered(page, 1);
  await exchange(page, 1).getByText('Heard as').click();
  await expect(exchange(page, 1).locator('.heard .full')).toContainText(/capital/i);
});
