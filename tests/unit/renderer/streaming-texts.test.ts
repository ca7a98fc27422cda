import { expect, test } from 'vitest';
import { StreamingTexts } from '../../../src-renderer/state/streaming-texts.ts';

test('pieces in order make the text', () => {
  const texts = new StreamingTexts();
  expect(texts.add('a', 0, 'The', '')).toBe('The');
  expect(texts.add('a', 3, ' sky', 'The')).toBe('The sky');
});

test('a piece that was seen before changes nothing', () => {
  const texts = new StreamingTexts();
  texts.add('a', 0, 'The', '');
  texts.add('a', 3, ' sky', 'The');
  expect(texts.add('a', 3, ' sky', 'The sky')).toBe('The sky');
});

test('a screen opened in mid-answer waits for the part it missed, and loses no piece meanwhile', () => {
  const texts = new StreamingTexts();
  expect(texts.merge('a', 'The')).toBe('The');
  expect(texts.add('a', 7, ' is', 'The')).toBeNull();
  expect(texts.add('a', 10, ' blue', 'The')).toBeNull();
  expect(texts.isMissingPart('a')).toBe(true);
  expect(texts.merge('a', 'The s'), 'the store is still behind').toBe('The s');
  expect(texts.merge('a', 'The sky is')).toBe('The sky is blue');
  expect(texts.isMissingPart('a')).toBe(false);
  expect(texts.add('a', 15, '.', 'The sky is blue')).toBe('The sky is blue.');
});
