import { expect, test } from 'vitest';
import { titleFrom } from '../../../src-main/conversation/titles.ts';

test.each([
  ['How hot should the water be? I have oolong.', 'How hot should the water be?'],
  ['  Eighty degrees. Then wait.', 'Eighty degrees'],
  ['**Bold** and `code`\nin two lines', 'Bold and code in two lines'],
  ['Version 1.5 is out', 'Version 1.5 is out'],
  ['今日の天気は？', '今日の天気は？'],
  ['```js\nlet a;\n``` explains a block', 'explains a block'],
])('%j gives %j', (text, title) => {
  expect(titleFrom(text)).toBe(title);
});

test('a long text is cut between words and says so', () => {
  const title = titleFrom('word '.repeat(40)) ?? '';
  expect(title.length).toBeLessThanOrEqual(60);
  expect(title).toMatch(/word…$/);
});

test('a long text without spaces is cut between characters', () => {
  expect(titleFrom('𠮷'.repeat(80))).toBe(`${'𠮷'.repeat(29)}…`);
});

test('no words give no title', () => {
  for (const text of ['', '   ', '?!', '***']) expect(titleFrom(text)).toBeNull();
});
