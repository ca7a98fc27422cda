import { isAnswered } from '../metrics/answer-success.ts';
import { bleuCounts } from '../metrics/bleu.ts';
import { chrfCounts } from '../metrics/chrf.ts';
import { distinctWords } from '../metrics/diversity.ts';
import { followsInstruction } from '../metrics/following-rate.ts';
import { isRepetitive } from '../metrics/repeat-rate.ts';
import { rougeL } from '../metrics/rouge-l.ts';
import { spokenCharacterEdits, spokenWordEdits } from '../metrics/spoken-text.ts';
import type {
  AnswerResult,
  ItemResult,
  Subject,
  TranscriptResult,
  TranslationResult,
} from './item-result.ts';
import { answer, type Bench, score, transcribe } from './listening.ts';
import { isQuestion, nameOf, type SuiteItem } from './suite.ts';

/** What is asked of each who is measured. */
export interface Asks {
  readonly transcript: boolean;
  readonly answer: boolean;
  /** How likely a response is: the item's own, or what the LLM replies to the written words. */
  readonly response: boolean;
  readonly translation: boolean;
}

/** Everything that is known of an item. */
function everythingOf(item: SuiteItem): Asks {
  const question = isQuestion(item);
  return {
    transcript: true,
    answer: question,
    response: question,
    translation: item.translation !== undefined,
  };
}

/**
 * Asks every subject every item, one after another, and tells what each made of it. Where an LLM is measured, so is what it
 * makes of the written words. Throws what an engine throws, but for sound in which it hears nothing.
 */
export async function runSuite(
  suite: readonly SuiteItem[],
  subjects: readonly Exclude<Subject, 'written'>[],
  bench: Bench,
  on: (result: ItemResult) => void,
  asksOf: (item: SuiteItem) => Asks = everythingOf,
): Promise<void> {
  const hasLlm = subjects.some((subject) => subject !== 'whisper');
  for (const item of suite) {
    const asks = asksOf(item);
    const needsLlm = asks.answer || asks.response || asks.translation;
    const asked: readonly Subject[] = needsLlm && hasLlm ? ['written', ...subjects] : subjects;
    const transcripts = new Transcripts(bench, item);
    let response = asks.response ? (item.response ?? null) : null;
    for (const subject of asked) {
      const transcript = asks.transcript ? await transcripts.of(subject) : null;
      const isReference = subject === 'written' && asks.response && response === null;
      const replies = subject !== 'whisper' && (asks.answer || isReference);
      const reply = replies ? await answer(bench, item, subject) : null;
      // Without a reference, the LLM's own reply to the written words is one (Fathullah et al. 2024, section 4.2).
      if (isReference) response = reply;
      on({
        item: nameOf(item),
        subject,
        isMultiTurn: item.turns !== undefined,
        transcript: transcript === null ? null : transcriptResult(item, transcript),
        answer: reply === null ? null : answerResult(item, reply),
        response: subject === 'whisper' || !response ? null : await score(bench, item, subject, response),
        translation: asks.translation ? await translationResult(bench, item, subject) : null,
      });
    }
  }
}

/** What is heard in one item. Whisper is the cascade's ear: one transcript serves both. */
class Transcripts {
  readonly #bench: Bench;
  readonly #item: SuiteItem;
  readonly #byEngine = new Map<'whisper' | 'speech-llm', Promise<string | null>>();

  constructor(bench: Bench, item: SuiteItem) {
    this.#bench = bench;
    this.#item = item;
  }

  of(subject: Subject): Promise<string | null> {
    if (subject === 'written') return Promise.resolve(null);
    const engine = subject === 'cascade' ? 'whisper' : subject;
    const known = this.#byEngine.get(engine) ?? transcribe(this.#bench, this.#item, engine, 'transcribe');
    this.#byEngine.set(engine, known);
    return known;
  }
}

function transcriptResult(item: SuiteItem, text: string): TranscriptResult {
  const { language, keep } = item;
  const found = keep?.filter((word) => isAnswered(text, [word], language)).length ?? 0;
  return {
    text,
    words: spokenWordEdits(item.text, text, language),
    characters: spokenCharacterEdits(item.text, text, language),
    kept: keep === undefined ? null : { found, listed: keep.length },
  };
}

function answerResult(item: SuiteItem, text: string): AnswerResult {
  return {
    text,
    isRight: item.answers === undefined ? null : isAnswered(text, item.answers, item.language),
    follows: followsInstruction(text, item.text, item.language),
    distinctWords: distinctWords(text),
    isRepetitive: isRepetitive(text),
    rougeL: item.response === undefined ? null : rougeL(item.response, text),
  };
}

async function translationResult(
  bench: Bench,
  item: SuiteItem,
  subject: Subject,
): Promise<TranslationResult | null> {
  const { translation } = item;
  if (translation === undefined) return null;
  const text = await translate(bench, item, subject, translation.language);
  if (text === null) return null;
  return { text, bleu: bleuCounts(text, translation.text), chrf: chrfCounts(text, translation.text) };
}

/** By the task that Whisper and some bundles were trained for, which knows English only; else by asking the LLM for it. */
async function translate(
  bench: Bench,
  item: SuiteItem,
  subject: Subject,
  to: string,
): Promise<string | null> {
  const trained = to === 'en' && (subject === 'whisper' || subject === 'speech-llm');
  const text = trained ? await transcribe(bench, item, subject, 'translate') : null;
  if (text !== null || subject === 'whisper') return text;
  const language = new Intl.DisplayNames('en', { type: 'language' }).of(to) ?? to;
  const instruction = `Translate what the user says into ${language}. Give the translation and nothing else.`;
  return answer(bench, item, subject, instruction);
}
