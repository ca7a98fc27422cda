import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kokoroTokens } from '../../../../src-main/engine/speaking/kokoro.ts';
import { Phonemizer } from '../../../../src-main/engine/speaking/phonemes.ts';

const table = new URL('../../../../native-models/training/data/voices/kokoro_symbols.json', import.meta.url);

test('the token table is that of the training data, and of Kokoro’s config.json', () => {
  const symbols = JSON.parse(readFileSync(table, 'utf8')) as Record<string, number>;
  for (const [symbol, id] of Object.entries(symbols)) expect(kokoroTokens(symbol)).toEqual([id]);
  expect(kokoroTokens('həlˈO.')).toEqual([50, 83, 54, 156, 31, 4]);
  expect(kokoroTokens('§0')).toEqual([]);
});

// As `phonemes` of native-models/training/data/voices/phonemes.py writes them with the system's eSpeak NG 1.51.
test.each([
  ['Hello, you.', 'en-US', 'həlˈO, jˈu.'],
  [
    'The quick brown fox jumps over the lazy dog.',
    'en-US',
    'ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˌOvəɹ ðə lˈAzi dˈɑɡ.',
  ],
  ['A bottle of water, please!', 'en-GB', 'ə bˈɒtᵊl ɒv wˈɔːtə, plˈiːz!'],
  ['Where are the little computers going tomorrow?', 'en-US', 'wˌɛɹ ɑɹ ðə lˈɪɾᵊl kəmpjˈuɾəɹz ɡˌOɪŋ təmˈɑɹO?'],
  ['Hola mundo', 'es', 'ˈola mˈundo'],
])('%j in %s', async (words, language, expected) => {
  expect((await Phonemizer.open()).phonemes(words, language)).toBe(expected);
});

test('a language without phonemes is refused', async () => {
  const phonemizer = await Phonemizer.open();
  expect(() => phonemizer.phonemes('こんにちは', 'ja')).toThrow(
    expect.objectContaining({ code: 'not-supported' }),
  );
});
