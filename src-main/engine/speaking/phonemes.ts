import loadEspeak from '@echogarden/espeak-ng-emscripten';
import { ParlanceError } from '../../contract/errors.ts';

/** eSpeak NG's voice for a language as voice packs name it. */
const espeakVoices: Readonly<Record<string, string>> = {
  'en-US': 'en-us',
  'en-GB': 'gmw/en',
  es: 'es',
  fr: 'fr',
  hi: 'hi',
  it: 'it',
  'pt-BR': 'pt-br',
};

/** Languages and accents that phonemes can be written in, BCP 47. */
export const phonemeLanguages: readonly string[] = Object.keys(espeakVoices);

// eSpeak's IPA → Kokoro's alphabet, which has one letter for each diphthong and affricate.
const common = [
  ['tʃ', 'ʧ'],
  ['dʒ', 'ʤ'],
  ['ts', 'ʦ'],
  ['dz', 'ʣ'],
  ['tɕ', 'ʨ'],
  ['dʑ', 'ʥ'],
  ['g', 'ɡ'],
] as const;
const english = [
  ['aɪ', 'I'],
  ['aʊ', 'W'],
  ['eɪ', 'A'],
  ['ɔɪ', 'Y'],
  ['r', 'ɹ'],
  ['ɬ', 'l'],
  ['x', 'k'],
  ['ç', 'k'],
  ['n̩', 'ᵊn'],
  ['l̩', 'ᵊl'],
  ['ʔ', 't'],
] as const;
const american = [
  ...english,
  ['oʊ', 'O'],
  ['ɜːɹ', 'ɜɹ'],
  ['ɜː', 'ɜɹ'],
  ['ɪə', 'iə'],
  ['ɚ', 'əɹ'],
  ['ɐ', 'ə'],
  ['oːɹ', 'ɔɹ'],
  ['ː', ''],
  ['o', 'ɔ'],
  ['e', 'A'],
] as const;
const british = [
  ...english,
  ['əʊ', 'Q'],
  ['oʊ', 'Q'],
  ['eə', 'ɛː'],
  ['iə', 'ɪə'],
  ['ɐ', 'ə'],
  ['o', 'ɔ'],
  ['e', 'A'],
] as const;
const alphabets: Readonly<Record<string, ReadonlyArray<readonly [string, string]>>> = {
  'en-US': american,
  'en-GB': british,
};

/** The marks that Kokoro has a token for; eSpeak only pauses at them, so they are kept by us. */
const marks = /([,;:.!?…—]+)/;

/** Text → the phoneme symbols that Kokoro was trained on, through eSpeak NG compiled to WebAssembly. */
export class Phonemizer {
  readonly #espeak: Awaited<ReturnType<typeof openEspeak>>;

  private constructor(espeak: Awaited<ReturnType<typeof openEspeak>>) {
    this.#espeak = espeak;
  }

  static async open(): Promise<Phonemizer> {
    return new Phonemizer(await openEspeak());
  }

  /** `("Hello, you.", "en-US")` → "həlˈO, jˈu.". Throws not-supported for a language not in `phonemeLanguages`. */
  phonemes(words: string, language: string): string {
    const voice = espeakVoices[language];
    if (voice === undefined || this.#espeak.set_voice(voice) !== 0) throw noPhonemes(language);
    let symbols = '';
    for (const piece of words.split(marks)) {
      if (marks.test(piece)) symbols += piece.charAt(0);
      else if (piece.trim() !== '') symbols += `${symbols === '' ? '' : ' '}${this.#clause(piece.trim())}`;
    }
    return inAlphabet(symbols, language);
  }

  #clause(words: string): string {
    const { code, ipa } = this.#espeak.synthesize_ipa(words);
    if (code !== 0)
      throw new ParlanceError('engine-failed', `eSpeak NG failed with code ${code}.`, 'Try again.');
    return ipa
      .replace(/\([a-z-]+\)/g, '') // marks a change of language
      .replace(/[_\u200d]/g, '')
      .replace(/(?<=\p{L})-/gu, '') // a vowel that can be left out
      .replace(/\s+/g, ' ')
      .trim();
  }
}

async function openEspeak() {
  const { eSpeakNGWorker } = await loadEspeak();
  return new eSpeakNGWorker();
}

function inAlphabet(ipa: string, language: string): string {
  const isEnglish = language.startsWith('en-');
  // Only where it ends a word: "bottle", not "hello".
  const syllabic = isEnglish ? ipa.replace(/əl(?![\p{L}ˈˌ])/gu, 'ᵊl') : ipa;
  const table = [
    ...(isEnglish ? common.filter(([from]) => !['ts', 'dz', 'tɕ', 'dʑ'].includes(from)) : common),
    ...(alphabets[language] ?? []),
  ];
  return table.reduce((symbols, [from, to]) => symbols.replaceAll(from, to), syllabic);
}

function noPhonemes(language: string): ParlanceError {
  return new ParlanceError(
    'not-supported',
    `There are no phonemes for ${language}.`,
    'Let the voice speak English (--language en), or choose a voice of another language.',
  );
}
