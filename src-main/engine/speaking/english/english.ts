import type { MarkupWords } from '../without-markup.ts';
import { datesAloud } from './english-dates.ts';
import {
  decadeAloud,
  digitsAloud,
  fractionAloud,
  numberAloud,
  ordinalAloud,
  romanValue,
  yearAloud,
} from './english-numbers.ts';
import { unitsAloud } from './english-units.ts';

export const englishMarkup: MarkupWords = {
  code: (language) => (language === null ? 'A piece of code.' : `A piece of code in ${language}.`),
  dot: 'dot',
  at: 'at',
  slash: 'slash',
};

type Rule = readonly [pattern: RegExp, said: string | ((all: string, ...groups: string[]) => string)];

const abbreviations: readonly Rule[] = [
  [/\bDr\.(?=\s)/g, 'Doctor'],
  [/\bMr\.(?=\s)/g, 'Mister'],
  [/\bMrs\.(?=\s)/g, 'Missus'],
  [/\bMs\.(?=\s)/g, 'Miz'],
  [/\bProf\.(?=\s)/g, 'Professor'],
  [/\bSt\.(?=\s+\p{Lu})/gu, 'Saint'],
  [/\bSt\.(?=\W|$)/g, 'Street'],
  [/\bAve\.(?=\W|$)/g, 'Avenue'],
  [/\bJr\.(?=\W|$)/g, 'Junior'],
  [/\bSr\.(?=\W|$)/g, 'Senior'],
  [/\b(?:No|Nr)\.\s?(?=\d)/g, 'number '],
  [/\bFigs?\.\s?(?=\d)/g, 'figure '],
  [/\bVol\.\s?(?=\d)/g, 'volume '],
  [/\bpp?\.\s?(?=\d)/g, 'page '],
  [/\be\.g\.,?/gi, 'for example,'],
  [/\bi\.e\.,?/gi, 'that is,'],
  [/\betc\.(?=\s+\p{Lu}|$)/gu, 'et cetera.'],
  [/\betc\.?(?=\W|$)/g, 'et cetera'],
  [/\bvs?\.(?=\s)/g, 'versus'],
  [/\bapprox\.(?=\s)/g, 'approximately'],
  [/\bdept\.(?=\s)/gi, 'department'],
  [/\bw\/o\b/g, 'without'],
  [/\bw\/(?=\s)/g, 'with'],
];

const romanAfter = 'War|Chapter|Part|Volume|Act|Phase|Type|Section|Stage|Class|Book';
const yearAfter =
  'in|since|until|till|by|before|after|around|circa|year|of|during|early|late|mid|from|to|between|and';

/** What a unit or a plain number must not be read out of. */
const joined: readonly Rule[] = [
  [
    /(?<![\d.])\+?(\d{1,3}[- ])?(\d{3})[- ](\d{3})[- ](\d{4})(?![\d])/g,
    (all) => all.split(/[- ]/).map(digitsAloud).join(', '),
  ],
  [/\b(1\d\d0|20\d0)s\b/g, (_all, year = '') => decadeAloud(Number(year))],
  [/(?<=^|\s)['’](\d0)s\b/g, (_all, year = '') => decadeAloud(1900 + Number(year)).replace('nineteen ', '')],
  [
    /\b((?:1[1-9]|20)\d\d)\s?[–-]\s?((?:1[1-9]|20)\d\d)\b/g,
    (_all, from = '', to = '') => `${yearAloud(Number(from))} to ${yearAloud(Number(to))}`,
  ],
  [/(?<=\d)\s?[–—]\s?(?=\d)|(?<=\b\d{1,4})-(?=\d{1,4}\b(?!-))/g, ' to '],
  [/(?<=^|[\s(])[-−](?=\d)/g, 'minus '],
  [/(?<=^|\s)[~≈]\s?(?=\d)/g, 'about '],
];

const numbers: readonly Rule[] = [
  [
    new RegExp(`\\b(${romanAfter}) (I{1,3}|IV|VI{0,3}|IX|XI{0,3})\\b`, 'g'),
    (_all, what = '', roman = '') => `${what} ${numberAloud(String(romanValue(roman)))}`,
  ],
  [
    /\b(\p{Lu}\p{Ll}+) (I{2,3}|IV|VI{1,3}|IX|X{1,2}(?:IX|IV|V?I{1,3}|V)|XX)\b/gu,
    (_all, name = '', roman = '') => `${name} the ${ordinalAloud(romanValue(roman))}`,
  ],
  [/\b(\d[\d,]*)(?:st|nd|rd|th)\b/g, (_all, value = '') => ordinalAloud(Number(value.replaceAll(',', '')))],
  [
    new RegExp(`\\b(${yearAfter}) ((?:1[1-9]|20)\\d\\d)\\b(?![.,]\\d|\\s?%)`, 'gi'),
    (_all, word = '', year = '') => `${word} ${yearAloud(Number(year))}`,
  ],
  [/½/g, ' one half'],
  [/¼/g, ' one quarter'],
  [/¾/g, ' three quarters'],
  [
    /(\d+)\s+(\d)\/(\d+)\b/g,
    (_all, whole = '', above = '', below = '') =>
      `${numberAloud(whole)} and ${fractionAloud(Number(above), Number(below))}`,
  ],
  [
    /(?<![\d/.])(\d{1,3})\/(\d{1,3})(?![\d/])/g,
    (_all, above = '', below = '') => fractionAloud(Number(above), Number(below)),
  ],
];

const symbols: readonly Rule[] = [
  [/#(?=\d)/g, 'number '],
  [/\s&\s/g, ' and '],
  [/(?<=[\d\p{L})])\s*\^\s*2\b|²/gu, ' squared'],
  [/³/g, ' cubed'],
  [/(?<=[\d\p{L})]\s?)\+(?=\s?[\d\p{L}(])/gu, ' plus '],
  [/(?<=\d)\s?[×*]\s?(?=\d)/g, ' times '],
  [/(?<=\d\s?)÷/g, ' divided by '],
  [/(?<=\d)\s-\s(?=\d)/g, ' minus '],
  [/(?<=\s)(?:=>|->|→)(?=\s)/g, 'to'],
  [/≤|<=/g, ' at most '],
  [/≥|>=/g, ' at least '],
  [/≠|!=/g, ' is not equal to '],
  [/={1,3}/g, ' equals '],
  [/(?<=\s)<(?=\s)/g, 'is less than'],
  [/(?<=\s)>(?=\s)/g, 'is greater than'],
  [/(?<=\s)±|±(?=\d)/g, ' plus or minus '],
  [/(?<=\p{L})\/(?=\p{L})/gu, ' '],
];

const amounts: readonly Rule[] = [
  [/(?<=\p{L})(?=\d)|(?<=\d)(?=\p{L})/gu, ' '],
  [/(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)/g, (amount) => numberAloud(amount)],
  [/(?<=\p{L})\.(?=\d|\p{Lu}\b)/gu, ' '],
];

function apply(text: string, rules: readonly Rule[]): string {
  return rules.reduce(
    (said, [pattern, replacement]) =>
      typeof replacement === 'string'
        ? said.replace(pattern, replacement)
        : said.replace(pattern, replacement),
    text,
  );
}

/** English as it is said: every number, date, unit, sum and abbreviation in words. */
export function englishAloud(text: string): string {
  const joinedAloud = apply(datesAloud(apply(text, abbreviations)), joined);
  return apply(unitsAloud(joinedAloud), [...numbers, ...symbols, ...amounts]);
}
