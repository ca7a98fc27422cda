import { expect, test } from 'vitest';
import { type AudioStorePort, ParlanceError, type Turn } from '../../../src-main/contract/index.ts';
import { branchTo, promptTurns } from '../../../src-main/conversation/prompt-turns.ts';
import { answerTo, spokenQuestion, typedQuestion } from '../../fixtures/store/turns.ts';

type NewTurn = Omit<Turn, 'createdAt'>;

const clip = (letter: string) => ({ sha256: letter.repeat(64), seconds: 1, bars: [0.5] });
const made = (turn: NewTurn): Turn => ({ ...turn, createdAt: 0 });
const text = (role: 'user' | 'assistant', words: string) => ({ type: 'text', role, text: words });

/** Sound whose hash begins with `gone` was removed from the disk. */
function soundWithout(gone: string): Pick<AudioStorePort, 'path'> & AudioStorePort {
  const refuse = () => Promise.reject(new ParlanceError('file-missing', 'gone', 'bring it back'));
  const path = (sha256: string) =>
    sha256.startsWith(gone) ? refuse() : Promise.resolve(`/audio/${sha256}.wav`);
  return { path, put: refuse, read: refuse, remove: refuse };
}

const sound = soundWithout('-');

test('earlier questions and answers of both kinds come first, spoken ones as sound', async () => {
  const typed = made(typedQuestion('c', 'Which tea?'));
  const first = made(answerTo(typed, { text: 'Oolong.' }));
  const spoken = made({ ...spokenQuestion('c', clip('a'), first.id), heardAs: 'how hot' });
  const second = made(answerTo(spoken, { text: 'Ninety degrees.' }));
  const last = made(spokenQuestion('c', clip('b'), second.id));
  expect(await promptTurns(last, [typed, first, spoken, second, last], sound)).toEqual([
    text('user', 'Which tea?'),
    text('assistant', 'Oolong.'),
    {
      type: 'audio',
      role: 'user',
      path: `/audio/${'a'.repeat(64)}.wav`,
      sha256: 'a'.repeat(64),
      transcript: 'how hot',
    },
    text('assistant', 'Ninety degrees.'),
    {
      type: 'audio',
      role: 'user',
      path: `/audio/${'b'.repeat(64)}.wav`,
      sha256: 'b'.repeat(64),
      transcript: null,
    },
  ]);
});

test('only the branch that leads to the question is shown', async () => {
  const root = made(typedQuestion('c', 'Which tea?'));
  const old = made(answerTo(root, { text: 'Oolong.' }));
  const again = made(answerTo(root, { text: 'Sencha.' }));
  const next = made(typedQuestion('c', 'How hot?', again.id));
  const turns = [root, old, again, next];
  expect(branchTo(next, turns).map(({ id }) => id)).toEqual([root.id, again.id, next.id]);
  expect(await promptTurns(next, turns, sound)).toEqual([
    text('user', 'Which tea?'),
    text('assistant', 'Sencha.'),
    text('user', 'How hot?'),
  ]);
});

test('a stopped or interrupted answer counts with what it had; an exchange without an answer is left out', async () => {
  const turns: Turn[] = [];
  const add = (turn: NewTurn) => {
    turns.push(made(turn));
    return turn;
  };
  let tip: NewTurn | null = null;
  for (const [question, answer, status] of [
    ['one', 'begun', 'stopped'],
    ['two', '', 'failed'],
    ['three', 'half', 'interrupted'],
    ['four', '  ', 'stopped'],
  ] as const) {
    const asked = add(typedQuestion('c', question, tip?.id ?? null));
    tip = add(answerTo(asked, { text: answer, status }));
  }
  const last = add(typedQuestion('c', 'five', tip?.id ?? null));
  expect(await promptTurns(made(last), turns, sound)).toEqual([
    text('user', 'one'),
    text('assistant', 'begun'),
    text('user', 'three'),
    text('assistant', 'half'),
    text('user', 'five'),
  ]);
});

test('a question that is asked again is shown without its earlier, failed answer', async () => {
  const question = made(typedQuestion('c', 'Which tea?'));
  const failed = made(answerTo(question, { status: 'failed' }));
  expect(await promptTurns(question, [question, failed], sound)).toEqual([text('user', 'Which tea?')]);
});

test('an earlier sound that is gone from the disk is told by its words, or left out; the asked one is missed', async () => {
  const heard = made({ ...spokenQuestion('c', clip('a')), heardAs: 'which tea' });
  const first = made(answerTo(heard, { text: 'Oolong.' }));
  const unheard = made(spokenQuestion('c', clip('a'), first.id));
  const second = made(answerTo(unheard, { text: 'Yes.' }));
  const last = made(typedQuestion('c', 'How hot?', second.id));
  const turns = [heard, first, unheard, second, last];
  expect(await promptTurns(last, turns, soundWithout('a'))).toEqual([
    text('user', 'which tea'),
    text('assistant', 'Oolong.'),
    text('user', 'How hot?'),
  ]);
  await expect(promptTurns(unheard, turns, soundWithout('a'))).rejects.toMatchObject({
    code: 'file-missing',
  });
});
