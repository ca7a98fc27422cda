import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bundleManifestSchema } from '../../../native-models/bundles/manifest.ts';
import { answeringBundle } from '../../../src-main/app/bundle-choice.ts';
import { forkEngine } from '../../../src-main/engine/process/forked-engine.ts';
import { EngineSupervisor } from '../../../src-main/engine/process/supervisor.ts';
import { readSound } from '../../../src-main/voice/read-sound.ts';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { testBundle } from '../../parity/whisper/bundle.ts';

const engineEntry = fileURLToPath(new URL('../../../src-main/app/engine-process.ts', import.meta.url));
const samples = new URL('../../../resources/samples/', import.meta.url);

/** Conversations over the real engine, in its own process, and the bundle that `npm test` built. */
async function openReal() {
  const bundleFolder = testBundle();
  const manifest = bundleManifestSchema.parse(
    JSON.parse(readFileSync(join(bundleFolder, 'bundle.json'), 'utf8')),
  );
  const folder = temporaryFolder();
  const engine = new EngineSupervisor({
    start: () => forkEngine(engineEntry, [join(folder, 'cache')]),
    chooseProvider: async () => 'cpu',
  });
  const bundle = async () => answeringBundle({ folder: bundleFolder, manifest });
  const opened = await openConversations(folder, { engine, bundle });
  onTestFinished(async () => {
    await opened.conversations.close();
    await engine.shutdown();
    await opened.store.close();
  });
  return opened;
}

async function question(name: string): Promise<Float32Array> {
  return (await readSound(readFileSync(new URL(name, samples)), name)).samples;
}

test('spoken and typed turns share one conversation: each answer is prefilled from what the turns before it left', async () => {
  const { conversations } = await openReal();
  const options = { sampling: { maxTokens: 24 } };
  const first = await conversations.askAudio({
    conversationId: null,
    samples: await question('question-capital-of-france.wav'),
    engine: 'speech-llm',
    ...options,
  });
  const heard = await conversations.finished(first.answer.id);
  expect(heard).toMatchObject({ status: 'complete', engine: 'speech-llm', provider: 'cpu', failure: null });
  expect(heard.text.trim()).not.toBe('');
  expect(heard.usage?.audioTokens).toBeGreaterThan(0);

  const conversationId = first.conversation.id;
  const typed = await conversations.askText({
    conversationId,
    text: 'Say it again.',
    engine: 'speech-llm',
    ...options,
  });
  const followUp = await conversations.finished(typed.answer.id);
  expect(followUp).toMatchObject({ status: 'complete', parentId: typed.question.id });
  expect(followUp.usage?.cachedTokens).toBeGreaterThan(heard.usage?.audioTokens ?? 0);
  expect(followUp.usage?.audioTokens).toBe(heard.usage?.audioTokens);

  const second = await conversations.askAudio({
    conversationId,
    samples: await question('followup-language-spoken-there.wav'),
    engine: 'cascade',
    ...options,
  });
  expect(await conversations.finished(second.answer.id)).toMatchObject({
    status: 'complete',
    engine: 'cascade',
  });
  const { conversation, turns } = await conversations.open(conversationId);
  expect(conversation).toMatchObject({ turnCount: 6, spoken: true });
  expect(turns[4]?.heardAs).toMatch(/language/i);

  expect((await conversations.heardAs(first.question.id)).heardAs).toMatch(/capital of france/i);
  expect((await conversations.list({ search: 'capital', limit: 5 })).length).toBe(1);
});

test('a stopped answer keeps what it had, and trying again answers the same sound', async () => {
  const { conversations, events } = await openReal();
  const asked = await conversations.askAudio({
    conversationId: null,
    samples: await question('question-what-is-a-volcano.wav'),
    engine: 'speech-llm',
    sampling: { maxTokens: 200 },
  });
  const spoken = () => events.filter((event) => event.event === 'turn.token').length;
  await expect.poll(spoken, { timeout: 60_000, interval: 5 }).toBeGreaterThan(2);
  await conversations.stop(asked.answer.id);
  const [, stopped] = (await conversations.open(asked.conversation.id)).turns;
  expect(stopped).toMatchObject({ status: 'stopped', failure: null });
  expect(stopped?.text).not.toBe('');

  const again = await conversations.retry({ answerId: asked.answer.id, sampling: { maxTokens: 8 } });
  expect(await conversations.finished(again.answer.id)).toMatchObject({ status: 'complete' });
  expect(again.question.audio).toEqual(asked.question.audio);
});
