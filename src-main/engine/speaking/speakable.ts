import { englishAloud, englishMarkup } from './english/english.ts';
import { type MarkupWords, withoutMarkup } from './without-markup.ts';

/** How one language reads numbers, dates, units and abbreviations, and names what cannot be read. */
interface Reading {
  readonly markup: MarkupWords;
  aloud(text: string): string;
}

/** eSpeak reads numbers and the commonest abbreviations of its languages by itself; only the markup is told in words. */
function plain(code: string, dot: string, at: string, slash: string): Reading {
  return {
    markup: {
      code: (language) => (language === null ? `${code}.` : `${code}, ${language}.`),
      dot,
      at,
      slash,
    },
    aloud: (text) => text,
  };
}

/** A language's reading; add one here, in a folder of its own when it has rules. */
const readings: Readonly<Record<string, Reading>> = {
  en: { markup: englishMarkup, aloud: englishAloud },
  es: plain('Código', 'punto', 'arroba', 'barra'),
  fr: plain('Code', 'point', 'arobase', 'barre oblique'),
  hi: plain('कोड', 'डॉट', 'ऐट', 'स्लैश'),
  it: plain('Codice', 'punto', 'chiocciola', 'barra'),
  pt: plain('Código', 'ponto', 'arroba', 'barra'),
};

/** Languages that text can be made speakable in, ISO 639-1. */
export const speakableLanguages: readonly string[] = Object.keys(readings);

/** A sentence or clause, perhaps Markdown, in the words that are said; empty when there is nothing to say. */
export function speakable(text: string, language: string): string {
  const reading = readings[language];
  if (reading === undefined) throw new RangeError(`no reading of ${language}`);
  const words = reading.aloud(withoutMarkup(text, reading.markup)).replace(/\s+/g, ' ').trim();
  return /[\p{L}\p{N}]/u.test(words) ? words : '';
}
