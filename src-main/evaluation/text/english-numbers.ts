import {
  currencies,
  decimals,
  multipliers,
  multipliersSuffixed,
  numberWords,
  ones,
  onesSuffixed,
  prefixes,
  signs,
  tens,
  tensSuffixed,
  zeros,
} from './english-number-words.ts';
import { pythonPattern, splitWords } from './python-pattern.ts';

/** A number so far: whole, or figures one after another ("one oh one", "3."). */
type Figures = bigint | string;

/**
 * Numbers in words become figures: "twenty five dollars and seven cents" → "$25.07", "one oh one" → "101". Part of Whisper's
 * EnglishTextNormalizer (Radford et al. 2022, appendix C); the public implementation decides every odd case.
 */
export function numbersAsFigures(text: string): string {
  const words = splitWords(separated(text));
  const reader = new NumberReader(words);
  return tidied(reader.read().join(' '));
}

const halves = pythonPattern('\\band\\s+a\\s+half\\b');
const suffixApart = pythonPattern('([0-9])\\s+(st|nd|rd|th|s)\\b');

/** "two and a half" → "two point five"; figures and letters apart, but for 1960s and 32nd. */
function separated(text: string): string {
  const segments = text.split(halves);
  const parts = segments.flatMap((segment, index) => {
    const lastWord = splitWords(segment).at(-1);
    if (lastWord === undefined) return [];
    if (index === segments.length - 1) return [segment];
    const isNumber = decimals.has(lastWord) || multipliers.has(lastWord);
    return [segment, isNumber ? 'point five' : 'and a half'];
  });
  return parts
    .join(' ')
    .replace(/([a-z])([0-9])/g, '$1 $2')
    .replace(/([0-9])([a-z])/g, '$1 $2')
    .replace(suffixApart, '$1$2');
}

const currencyAndCents = pythonPattern('([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\\b');
const centsAlone = pythonPattern('[€£$]0.([0-9]{1,2})\\b');
const singleOne = pythonPattern('\\b1(s?)\\b');

/** "$2 and ¢7" → "$2.07", "$0.07" → "¢7", and "one" in letters. */
function tidied(text: string): string {
  return text
    .replace(
      currencyAndCents,
      (_, currency, whole, cents) => `${currency}${whole}.${String(cents).padStart(2, '0')}`,
    )
    .replace(centsAlone, (_, cents) => `¢${Number(cents)}`)
    .replace(singleOne, 'one$1');
}

class NumberReader {
  readonly #words: readonly string[];
  readonly #written: string[] = [];
  #value: Figures | null = null;
  /** Stands before the next thing that is written: a sign, a currency. */
  #prefix = '';

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  read(): string[] {
    for (let at = 0; at < this.#words.length; )
      at += this.#word(this.#words[at] ?? '', this.#words[at - 1] ?? '', this.#words[at + 1] ?? '');
    this.#flush();
    return this.#written;
  }

  /** Gives how many words it took. */
  #word(word: string, previous: string, next: string): 1 | 2 {
    if (this.#arabic(word)) return 1;
    if (!numberWords.has(word)) this.#plain(word);
    else if (zeros.has(word)) this.#value = `${digitsOf(this.#value)}0`;
    else if (ones.has(word) || tens.has(word)) this.#value = this.#joined(word, previous);
    else if (onesSuffixed.has(word) || tensSuffixed.has(word)) this.#joinedSuffixed(word, previous);
    else if (multipliers.has(word)) this.#multiplied(multipliers.get(word) ?? 1n);
    else if (multipliersSuffixed.has(word)) this.#multipliedSuffixed(word);
    else if (signs.has(word)) this.#sign(word, next);
    else if (currencies.has(word)) this.#currency(word);
    else if (word === 'per' || word === 'percent') return this.#percent(word, next);
    else if (!canBeNumber(next)) this.#plain(word);
    else if (word === 'point') this.#point(next);
    else if (word === 'and') this.#and(word, previous);
    else return this.#repeated(word, next);
    return 1;
  }

  #write(text: Figures): void {
    this.#written.push(`${this.#prefix}${text}`);
    this.#value = null;
    this.#prefix = '';
  }

  #flush(): void {
    if (this.#value !== null) this.#write(this.#value);
  }

  #plain(word: string): void {
    this.#flush();
    this.#write(word);
  }

  /** Figures, maybe behind a sign or a currency. */
  #arabic(word: string): boolean {
    const [first = ''] = word;
    const figures = prefixes.has(first) ? word.slice(first.length) : word;
    if (!isNumeric(figures)) return false;
    if (typeof this.#value === 'string' && this.#value.endsWith('.')) {
      this.#value += word;
      return true;
    }
    this.#flush();
    if (figures !== word) this.#prefix = first;
    this.#value = wholeNumber(figures) ?? figures;
    return true;
  }

  #joined(word: string, previous: string): Figures {
    const one = ones.get(word);
    return one === undefined
      ? joinTens(this.#value, tens.get(word) ?? 0n)
      : joinOnes(this.#value, one, previous);
  }

  /** Ordinals and plurals end a number. */
  #joinedSuffixed(word: string, previous: string): void {
    const one = onesSuffixed.get(word);
    const ten = tensSuffixed.get(word);
    const value = one ? joinOnes(this.#value, one.value, previous) : joinTens(this.#value, ten?.value ?? 0n);
    this.#write(`${value}${(one ?? ten)?.suffix}`);
  }

  #multiplied(multiplier: bigint): void {
    const product = multiply(this.#value, multiplier);
    if (product === null) this.#flush();
    this.#value = product ?? multiplier;
  }

  #multipliedSuffixed(word: string): void {
    const { value: multiplier, suffix } = multipliersSuffixed.get(word) ?? { value: 1n, suffix: '' };
    const product = multiply(this.#value, multiplier);
    if (product === null) this.#flush();
    this.#write(`${product ?? multiplier}${suffix}`);
  }

  #sign(word: string, next: string): void {
    this.#flush();
    if (canBeNumber(next)) this.#prefix = signs.get(word) ?? '';
    else this.#write(word);
  }

  #currency(word: string): void {
    if (this.#value !== null) {
      this.#prefix = currencies.get(word) ?? '';
      this.#write(this.#value);
    } else this.#write(word);
  }

  #percent(word: string, next: string): 1 | 2 {
    if (this.#value === null || (word === 'per' && next !== 'cent')) {
      this.#plain(word);
      return 1;
    }
    this.#write(`${this.#value}%`);
    return word === 'per' ? 2 : 1;
  }

  /** Dropped inside a number: "a hundred and one". */
  #and(word: string, previous: string): void {
    if (!multipliers.has(previous)) this.#plain(word);
  }

  #point(next: string): void {
    if (decimals.has(next) || isNumeric(next)) this.#value = `${digitsOf(this.#value)}.`;
  }

  /** "double seven" → 77. */
  #repeated(word: string, next: string): 1 | 2 {
    if (!ones.has(next) && !zeros.has(next)) {
      this.#plain(word);
      return 1;
    }
    const digit = String(ones.get(next) ?? 0n);
    this.#value = digitsOf(this.#value) + digit.repeat(word === 'double' ? 2 : 3);
    return 2;
  }
}

function isNumeric(word: string): boolean {
  return /^[0-9]+(\.[0-9]+)?$/.test(word);
}

function canBeNumber(word: string): boolean {
  return numberWords.has(word) || isNumeric(word);
}

function digitsOf(value: Figures | null): string {
  return value === null || value === 0n ? '' : String(value);
}

/** The number when there is nothing but zeros behind its point. */
function wholeNumber(figures: string): bigint | null {
  const [whole = '', fraction = ''] = figures.split('.');
  return /^0*$/.test(fraction) ? BigInt(whole) : null;
}

/** One to nineteen behind what there is: 20 and 1 are 21, 21 and 1 are "211", "4020" and 1 are "4021". */
function joinOnes(value: Figures | null, one: bigint, previous: string): Figures {
  if (value === null) return one;
  const isDigit = one < 10n;
  if (typeof value === 'string' || ones.has(previous)) {
    const figures = String(value);
    return `${tens.has(previous) && isDigit ? figures.slice(0, -1) : figures}${one}`;
  }
  return value % (isDigit ? 10n : 100n) === 0n ? value + one : `${value}${one}`;
}

function joinTens(value: Figures | null, ten: bigint): Figures {
  if (value === null) return ten;
  return typeof value === 'bigint' && value % 100n === 0n ? value + ten : `${value}${ten}`;
}

/** Null when the figures are no number ("1.2.3"), or have a fraction even when multiplied. */
function multiply(value: Figures | null, multiplier: bigint): bigint | null {
  if (value === null) return multiplier;
  if (typeof value === 'bigint') {
    const thousands = (value / 1000n) * 1000n;
    return thousands + (value - thousands) * multiplier;
  }
  const parts = /^([0-9]*)(?:\.([0-9]*))?$/.exec(value);
  const [whole = '', fraction = ''] = [parts?.[1], parts?.[2]];
  if (parts === null || whole + fraction === '') return null;
  const product = BigInt(whole + fraction) * multiplier;
  const unit = 10n ** BigInt(fraction.length);
  return product % unit === 0n ? product / unit : null;
}
