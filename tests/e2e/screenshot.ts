// Writes docs/screenshot.png and docs/screenshot-dark.png: a real conversation with the bundle that
// PARLANCE_TEST_BUNDLE names. Run it as `node tests/e2e/screenshot.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import type { AppEvent, Turn } from '../../src-main/contract/index.ts';
import { chromiumFlags, chromiumPath, samplePath } from './chromium.ts';
import { ContractClient } from './contract-client.ts';
import { homeWithBundle, RunningApp, removeHome } from './running-app.ts';

/** The design is drawn in Inter; the system's own choice on a bare Linux is another, wider face. */
const fonts = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>
<match target="pattern"><edit name="family" mode="prepend_first" binding="strong"><string>Inter</string></edit></match>
<match target="pattern"><test name="family" qual="any"><string>ui-monospace</string></test>
<edit name="family" mode="prepend_first" binding="strong"><string>DejaVu Sans Mono</string></edit></match>
<include>/etc/fonts/fonts.conf</include></fontconfig>`;

const earlier = [
  'Ideas for a quiet weekend',
  'Rename a folder of tapes',
  'A letter to the library',
  'Words that rhyme with river',
];

type Ask = (client: ContractClient, conversationId: string | null) => Promise<{ answer: Turn }>;

const typed =
  (text: string): Ask =>
  (client, conversationId) =>
    client.call('turns.askText', { conversationId, text });

const spoken =
  (name: string): Ask =>
  (client, conversationId) =>
    client.call('turns.askFile', { conversationId, name, bytes: readFileSync(samplePath(name)) });

/** Asks, and resolves when the answer has ended; `stop` cuts it short. */
async function asked(
  client: ContractClient,
  ended: Map<string, Turn>,
  ask: Ask,
  conversationId: string | null,
  stop = false,
) {
  const { answer } = await ask(client, conversationId);
  if (stop) await client.call('turns.stop', { answerId: answer.id });
  while (!ended.has(answer.id)) await client.call('app.info', {});
  return answer.conversationId;
}

const home = homeWithBundle();
const fontsFile = join(home, 'fonts.conf');
writeFileSync(fontsFile, fonts);
const app = await RunningApp.start(home);
const ended = new Map<string, Turn>();
const onEvent = (event: AppEvent) => {
  if (event.event === 'turn.updated' && event.turn.status !== 'streaming')
    ended.set(event.turn.id, event.turn);
};
const address = new URL(app.address);
const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: chromiumFlags,
  env: { ...process.env, FONTCONFIG_FILE: fontsFile },
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 });
  await page.goto(app.address);
  const cookies = await page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const client = await ContractClient.connectWith(cookie, address.origin, onEvent);

  for (const title of earlier) await asked(client, ended, typed(title), null, true);
  const id = await asked(client, ended, spoken('question-what-is-gravity.wav'), null);
  await client.call('conversations.rename', { id, title: 'Gravity, and Paris' });
  await asked(client, ended, spoken('question-capital-of-france.wav'), id);
  await asked(client, ended, spoken('followup-language-spoken-there.wav'), id);

  await page.goto(`${address.origin}/#/chat/${id}`);
  await page.getByRole('article').nth(2).waitFor();
  await page.getByRole('textbox', { name: 'Message' }).fill('Write three sentences about the river there.');
  await page.keyboard.press('Enter');
  await page.getByText(/tok\/s · \d{2} tokens/).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const name = colorScheme === 'light' ? 'screenshot.png' : 'screenshot-dark.png';
    await page.screenshot({ path: fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)) });
  }
  client.close();
} finally {
  await browser.close();
  await app.stop();
  removeHome(home);
}
