import { expect, test } from 'vitest';
import type { Turn } from '../../../src-main/contract/index.ts';
import { exchangesOf } from '../../../src-renderer/state/exchanges.ts';

const turn = (id: string, parentId: string | null): Turn => ({
  id,
  conversationId: 'c',
  parentId,
  role: id.startsWith('q') ? 'user' : 'assistant',
  kind: 'typed',
  text: id,
  heardAs: null,
  audio: null,
  status: 'complete',
  engine: null,
  bundle: null,
  provider: null,
  usage: null,
  timings: null,
  failure: null,
  createdAt: 0,
});

const path = (turns: Turn[], chosen = new Map<string, string>()) =>
  exchangesOf(turns, chosen).map(({ question, answer }) => `${question.id} ${answer?.id}`);

test('questions and answers follow one another', () => {
  const turns = [turn('q1', null), turn('a1', 'q1'), turn('q2', 'a1'), turn('a2', 'q2')];
  expect(path(turns)).toEqual(['q1 a1', 'q2 a2']);
});

test('of several answers the newest is shown', () => {
  const turns = [turn('q1', null), turn('a1', 'q1'), turn('a1b', 'q1')];
  expect(path(turns)).toEqual(['q1 a1b']);
  expect(exchangesOf(turns, new Map())[0]?.answers.map(({ id }) => id)).toEqual(['a1', 'a1b']);
});

test('an answer that the conversation went on from is shown before a newer one, so that nothing disappears', () => {
  const turns = [turn('q1', null), turn('a1', 'q1'), turn('q2', 'a1'), turn('a2', 'q2'), turn('a1b', 'q1')];
  expect(path(turns)).toEqual(['q1 a1', 'q2 a2']);
});

test('a chosen version is shown, with what follows it', () => {
  const turns = [turn('q1', null), turn('a1', 'q1'), turn('a1b', 'q1'), turn('q2', 'a1b'), turn('a2', 'q2')];
  expect(path(turns, new Map([['q1', 'a1']]))).toEqual(['q1 a1']);
  expect(path(turns)).toEqual(['q1 a1b', 'q2 a2']);
});

test('a question whose answer is not there yet stands alone', () => {
  expect(path([turn('q1', null)])).toEqual(['q1 undefined']);
  expect(path([])).toEqual([]);
});
