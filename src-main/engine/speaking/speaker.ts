import { type PackVoice, readVoicePack, type VoicePack } from '../../../native-models/bundles/voice-pack.ts';
import { ModelError } from '../../../native-models/errors.ts';
import { ParlanceError } from '../../contract/errors.ts';
import { type SoundPiece, type SpeakRequest, type Spoken, speechSampleRate } from '../../contract/speech.ts';
import { asParlanceError } from '../failures.ts';
import { halves } from './clauses.ts';
import { withCleanEdges } from './edges.ts';
import { Kokoro, kokoroTokens, mostTokens } from './kokoro.ts';
import { Phonemizer } from './phonemes.ts';
import { type Span, sentencesOf } from './sentences.ts';
import { speakable } from './speakable.ts';

/** The first piece is short, so that it is heard soon; the others as long as one breath of a good reader. */
const firstTokens = 80;
const breathTokens = 240;
const sentencePause = 0.22;
const clausePause = 0.08;

interface Utterance extends Span {
  readonly tokens: readonly number[];
}

/** Speaks text with the voices of a pack. One request at a time: its thread sees to that. */
export class Speaker {
  readonly #threads: number;
  #phonemizer: Phonemizer | null = null;
  #loaded: { readonly folder: string; readonly pack: VoicePack; readonly model: Kokoro } | null = null;

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** `isStopped` is asked between two pieces. Rejects with cancelled, and what SpeechPort.speak names. */
  async speak(
    request: SpeakRequest,
    sound: (piece: SoundPiece) => void,
    isStopped: () => boolean,
  ): Promise<Spoken> {
    const arrived = performance.now();
    const { pack, model } = await this.#open(request.voices);
    this.#phonemizer ??= await Phonemizer.open();
    const voice = voiceOf(pack, request.voice);
    const { accent, language } = languageOf(voice, request.language);
    const loadMs = performance.now() - arrived;
    let firstSoundMs: number | null = null;
    let phonemesMs = 0;
    let synthesisMs = 0;
    let samples = 0;
    let pieces = 0;
    for (const sentence of sentencesOf(request.text)) {
      const began = performance.now();
      const utterances = this.#utterances(
        sentence,
        language,
        accent,
        pieces === 0 ? firstTokens : breathTokens,
      );
      phonemesMs += performance.now() - began;
      for (const { tokens, start, end } of utterances) {
        if (isStopped()) throw cancelled();
        const at = performance.now();
        const raw = await model.speak(tokens, voice, request.speed);
        synthesisMs += performance.now() - at;
        if (isStopped()) throw cancelled();
        const pause = end === sentence.end ? sentencePause : clausePause;
        const piece = withCleanEdges(raw, pause / request.speed);
        firstSoundMs ??= performance.now() - arrived;
        samples += piece.length;
        pieces += 1;
        sound({ samples: piece, start, end });
      }
    }
    return {
      seconds: samples / speechSampleRate,
      pieces,
      timings: { loadMs, firstSoundMs, phonemesMs, synthesisMs },
    };
  }

  /** A sentence as the model can take it: cut at clauses until each has few enough tokens. */
  #utterances(span: Span, language: string, accent: string, comfortable: number): Utterance[] {
    const words = speakable(span.said, language);
    if (words === '') return [];
    const tokens = kokoroTokens(this.#phonemizer?.phonemes(words, accent) ?? '');
    if (tokens.length === 0) return [];
    // Fenced code is told in a few words, whatever its length.
    const cut = tokens.length > comfortable ? halves(span) : null;
    const atBreath = cut !== null && /[,;:)–—-]$/.test(cut[0].said);
    if (tokens.length <= mostTokens && !atBreath) return [{ ...span, tokens }];
    if (cut === null) return [{ ...span, tokens: tokens.slice(0, mostTokens) }];
    const [first, second] = cut;
    return [
      ...this.#utterances(first, language, accent, comfortable),
      ...this.#utterances(second, language, accent, breathTokens),
    ];
  }

  async #open(folder: string): Promise<{ pack: VoicePack; model: Kokoro }> {
    if (this.#loaded?.folder === folder) return this.#loaded;
    const pack = packIn(folder);
    await this.#loaded?.model.close();
    this.#loaded = null;
    this.#loaded = { folder, pack, model: await Kokoro.open(folder, pack, this.#threads) };
    return this.#loaded;
  }
}

function packIn(folder: string): VoicePack {
  try {
    return readVoicePack(folder);
  } catch (error) {
    if (!(error instanceof ModelError) || error.code !== 'file-missing') throw asParlanceError(error);
    const hint = 'Run `parlance models pull kokoro`, which fetches them.';
    throw new ParlanceError('voices-missing', 'The voices are not installed.', hint, { cause: error });
  }
}

export function cancelled(): ParlanceError {
  return new ParlanceError('cancelled', 'The speech was stopped.', 'Start it again when you like.');
}

function voiceOf(pack: VoicePack, id: string): PackVoice {
  const voice = pack.voices.find((each) => each.id === id);
  if (voice !== undefined) return voice;
  const known = pack.voices.map((each) => each.id).join(', ');
  throw new ParlanceError('voices-missing', `${pack.name} has no voice ${id}.`, `Name one of: ${known}.`);
}

/** What is spoken, ISO 639-1, and with which phonemes, BCP 47. */
function languageOf(voice: PackVoice, wanted: string): { language: string; accent: string } {
  const [own = ''] = voice.language.split('-');
  const language = wanted === 'auto' ? own : wanted;
  if (language === own) {
    if (own !== 'ja' && own !== 'zh') return { language, accent: voice.language };
    throw new ParlanceError(
      'not-supported',
      `${voice.name} cannot speak ${own === 'ja' ? 'Japanese' : 'Chinese'} yet: there are no phonemes of the kind it was trained on.`,
      'Let it speak English (--language en), or choose a voice of another language.',
    );
  }
  if (language === 'en') return { language, accent: 'en-US' };
  throw new ParlanceError(
    'not-supported',
    `${voice.name} does not speak ${language}.`,
    'Choose a voice of that language, or let this one speak its own or English.',
  );
}
