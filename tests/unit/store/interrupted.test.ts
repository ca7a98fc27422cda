import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { openStore } from '../../../src-main/store/open-store.ts';
import { answerTo, typedQuestion } from '../../fixtures/store/turns.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const streamer = new URL('../../fixtures/store/streamer.ts', import.meta.url);

test('an answer that another live process is writing is left alone; once that process is dead it is interrupted', async () => {
  const folder = temporaryFolder();
  const store = await openStore({ folder });
  const { id } = await store.createConversation('Tea');
  const other = fork(streamer, [folder, id]);
  const [answerId] = (await once(other, 'message')) as [string];
  expect(await store.markInterrupted()).toEqual([]);
  expect((await store.turn(answerId)).status).toBe('streaming');

  other.kill('SIGKILL');
  await once(other, 'exit');
  const [marked] = await store.markInterrupted();
  expect(marked).toMatchObject({ id: answerId, status: 'interrupted', text: 'Eighty deg' });
  expect(marked?.failure?.code).toBe('engine-stopped');
  expect(await store.markInterrupted()).toEqual([]);
  expect((await store.conversations({ search: 'eighty', limit: 5 })).length).toBe(1);
  await store.close();
});

test('an answer of this very process is not taken for a dead one', async () => {
  const store = await openStore({ folder: temporaryFolder() });
  const { id } = await store.createConversation('Tea');
  const question = typedQuestion(id, 'How hot?');
  const answer = answerTo(question, { status: 'streaming' });
  await store.addTurns([question, answer]);
  await store.updateTurn(answer.id, { text: 'Eighty' });
  expect(await store.markInterrupted()).toEqual([]);
  expect((await store.turn(answer.id)).status).toBe('streaming');
  await store.close();
});
