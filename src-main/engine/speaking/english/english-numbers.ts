import { toCardinal, toOrdinal } from 'n2words/en-US';

/** Longer ones are names, not amounts. */
const mostDigits = 15;

const digitNames = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

export function digitsAloud(digits: string): string {
  return [...digits].flatMap((digit) => digitNames[Number(digit)] ?? []).join(' ');
}

/** "1,234" → "one thousand two hundred thirty-four", "3.14" → "three point one four", "007" → "zero zero seven". */
export function numberAloud(written: string): string {
  const [whole = '', fraction] = written.replaceAll(',', '').split('.');
  const isName = whole.length > mostDigits || (whole.length > 1 && whole.startsWith('0'));
  const words = isName ? digitsAloud(whole) : toCardinal(BigInt(whole === '' ? '0' : whole));
  return fraction === undefined ? words : `${words} point ${digitsAloud(fraction)}`;
}

export function ordinalAloud(value: number): string {
  return toOrdinal(value);
}

/** 1984 → "nineteen eighty-four", 1905 → "nineteen oh five", 2000 → "two thousand", 2024 → "twenty twenty-four". */
export function yearAloud(year: number): string {
  const century = Math.floor(year / 100);
  const rest = year % 100;
  if (year < 1000 || (year % 1000 < 10 && century % 10 === 0)) return toCardinal(year);
  if (rest === 0) return `${toCardinal(century)} hundred`;
  return `${toCardinal(century)} ${rest < 10 ? 'oh ' : ''}${toCardinal(rest)}`;
}

const denominators: Readonly<Record<number, string>> = { 2: 'half', 4: 'quarter' };

/** 1/2 → "one half", 3/4 → "three quarters", 2/3 → "two thirds"; others as "seven over thirteen". */
export function fractionAloud(above: number, below: number): string {
  if (below < 2 || below > 10 || above < 1 || above >= below)
    return `${toCardinal(above)} over ${toCardinal(below)}`;
  const part = denominators[below] ?? toOrdinal(below);
  return `${toCardinal(above)} ${above === 1 ? part : part === 'half' ? 'halves' : `${part}s`}`;
}

/** "nineteen nineties", "nineteen hundreds". */
export function decadeAloud(year: number): string {
  const words = yearAloud(year);
  return words.endsWith('y') ? `${words.slice(0, -1)}ies` : `${words}s`;
}

const romanDigits: Readonly<Record<string, number>> = { I: 1, V: 5, X: 10, L: 50, C: 100 };

/** "XIV" → 14. */
export function romanValue(roman: string): number {
  const values = [...roman].map((letter) => romanDigits[letter] ?? 0);
  return values.reduce((sum, value, place) => sum + (value < (values[place + 1] ?? 0) ? -value : value), 0);
}
