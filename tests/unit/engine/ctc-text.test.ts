import { expect, it } from 'vitest';
import { ctcText } from '../../../src-main/engine/ctc-text.ts';

const labels = ['▁he', 'l', 'o', '▁you', '<blank>', '', '<unk>'];
const scores = (path: readonly number[]) =>
  Float32Array.from(path.flatMap((best) => labels.map((_, label) => (label === best ? -0.1 : -3 - label))));

it('a CTC head reads each label once, again only behind a blank, and words with their spaces', () => {
  expect(ctcText(scores([4, 0, 0, 4, 1, 1, 4, 1, 2, 2, 5, 6, 3, 3, 4]), labels)).toBe('hello you');
  expect(ctcText(scores([4, 5, 5, 6]), labels)).toBe('');
  expect(ctcText(new Float32Array(0), labels)).toBe('');
});
