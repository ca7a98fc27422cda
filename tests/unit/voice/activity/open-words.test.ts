import { expect, test } from 'vitest';
import { endOpen } from '../../../../src-main/voice/activity/open-words.ts';

test.each([
  ['en', 'I went there and'],
  ['en', 'I stayed because.'],
  ['en-GB', 'It was, um…'],
  ['en', 'First of all,'],
  ['de', 'Ich wollte fragen, ob'],
  ['de', 'Er kam, weil.'],
  ['fr', 'Je voudrais du pain et'],
  ['fr', "C'est parce que"],
  ['es', 'Quiero pan y'],
  ['es', 'No fui porque'],
  ['zh', '我想去，但是'],
  ['zh-CN', '因为'],
  ['ja', '行きたいけど'],
  ['ja', 'ええと'],
  ['ar', 'أريد أن أذهب لأن'],
  ['ar', 'خبز و'],
  ['xx', 'anything at all:'],
])('%s: "%s" asks for more', (language, text) => {
  expect(endOpen(text, language)).toBe(true);
});

test.each([
  ['en', 'What is gravity?'],
  ['en', 'Turn the lights on.'],
  ['en', 'Play the band'],
  ['en', 'And then?'],
  ['de', 'Wie spät ist es?'],
  ['fr', 'Quelle heure est-il ?'],
  ['es', '¿Qué hora es?'],
  ['zh', '现在几点？'],
  ['ja', '今何時ですか。'],
  ['ja', '行きましたが。'],
  ['ar', 'كم الساعة؟'],
  ['xx', 'anything and'],
  ['en', ''],
])('%s: "%s" does not', (language, text) => {
  expect(endOpen(text, language)).toBe(false);
});
