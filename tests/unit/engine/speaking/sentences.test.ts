import { expect, test } from 'vitest';
import { halves } from '../../../../src-main/engine/speaking/clauses.ts';
import { SentenceCutter, sentencesOf } from '../../../../src-main/engine/speaking/sentences.ts';

const text = `Dr. Smith has 3.5 apples. He said "Go!" and left... slowly. Visit https://a.b/c.d?e=f. Then e.g. this one.
It wraps here. J. R. Tolkien wrote it in the U.S. They know: No. 5 is best! Is it? "Yes." So do I. Fine

# A title. With a point
1. one
2. two. Three
- a \`code. With A point\` here. End
\`\`\`js
a. B(); c. D
\`\`\`
Done 😀. 你好。再见！ Last one without a point`;

const said = (whole: string): string[] => sentencesOf(whole).map((span) => span.said);

test('sentences end at marks, not in numbers, names, abbreviations, addresses or code', () => {
  expect(said(text)).toEqual([
    'Dr. Smith has 3.5 apples.',
    'He said "Go!" and left... slowly.',
    'Visit https://a.b/c.d?e=f.',
    'Then e.g. this one.',
    'It wraps here.',
    'J. R. Tolkien wrote it in the U.S.',
    'They know: No. 5 is best!',
    'Is it?',
    '"Yes."',
    'So do I.',
    'Fine',
    '# A title.',
    'With a point',
    '1. one',
    '2. two.',
    'Three',
    '- a `code. With A point` here.',
    'End',
    '```js\na. B(); c. D\n```',
    'Done 😀.',
    '你好。',
    '再见！',
    'Last one without a point',
  ]);
});

test.each([1, 2, 3, 7, 50])(
  'text that comes in portions of %i is cut as if it were there at once',
  (size) => {
    const cutter = new SentenceCutter();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...cutter.write(text.slice(at, at + size)));
    found.push(...cutter.end());
    expect(found).toEqual(sentencesOf(text));
  },
);

test('every prefix is cut alike, whatever it ends with', () => {
  for (let length = 0; length <= text.length; length += 1) {
    const cutter = new SentenceCutter();
    const found = [];
    for (const unit of text.slice(0, length).split('')) found.push(...cutter.write(unit));
    expect([...found, ...cutter.end()]).toEqual(sentencesOf(text.slice(0, length)));
  }
});

test('spans are places in the text, in order, and leave out nothing but white space', () => {
  let last = 0;
  for (const { said: words, start, end } of sentencesOf(text)) {
    expect(text.slice(start, end)).toBe(words);
    expect(text.slice(last, start).trim()).toBe('');
    last = end;
  }
  expect(text.slice(last).trim()).toBe('');
});

test('a sentence is given as soon as the next word begins', () => {
  const cutter = new SentenceCutter();
  expect(cutter.write('Hello there. ')).toEqual([]);
  expect(cutter.write('H')).toMatchObject([{ said: 'Hello there.', start: 0, end: 12 }]);
});

test('a long sentence is cut where a reader breathes, and no place is lost', () => {
  const long = 'When it rains in spring, which it often does, we stay at home 3,000 days (or so) and read.';
  const cut = halves({ said: long, start: 10, end: 10 + long.length });
  expect(cut?.map((half) => half.said)).toEqual([
    'When it rains in spring, which it often does,',
    'we stay at home 3,000 days (or so) and read.',
  ]);
  for (const half of cut ?? []) expect(long.slice(half.start - 10, half.end - 10)).toBe(half.said);
});

test('what has neither marks nor spaces is cut between characters, never inside one', () => {
  const faces = '😀'.repeat(9);
  const cut = halves({ said: faces, start: 0, end: faces.length });
  expect(cut?.map((half) => half.said).join('')).toBe(faces);
  expect(cut?.[0].said.isWellFormed()).toBe(true);
  expect(halves({ said: 'x', start: 0, end: 1 })).toBeNull();
});
