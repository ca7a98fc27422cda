/** Letters that are one character even when accents are taken apart (NFKD). */
const plainLetters: Readonly<Record<string, string>> = {
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  æ: 'ae',
  Æ: 'AE',
  ß: 'ss',
  ẞ: 'SS',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'th',
  ł: 'l',
  Ł: 'L',
};

const markOrSymbol = /[\p{M}\p{S}\p{P}]/gu;
const accent = /^\p{Mn}$/u;
const plainLetter = new RegExp(`[${Object.keys(plainLetters).join('')}]`, 'gu');

/** Marks, symbols and punctuation become spaces. */
export function withoutSymbols(text: string): string {
  return text.normalize('NFKC').replace(markOrSymbol, ' ');
}

/** As `withoutSymbols`, but accents go without a trace (café → cafe), and the characters of `keep` stay. */
export function withoutSymbolsAndAccents(text: string, keep = ''): string {
  return text
    .normalize('NFKD')
    .replace(markOrSymbol, (character) => {
      if (keep.includes(character)) return character;
      return accent.test(character) ? '' : ' ';
    })
    .replace(plainLetter, (letter) => plainLetters[letter] ?? letter);
}
