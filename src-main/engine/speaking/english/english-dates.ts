import { toCardinal } from 'n2words/en-US';
import { ordinalAloud, yearAloud } from './english-numbers.ts';

const months = 'January February March April May June July August September October November December'.split(
  ' ',
);
const monthPattern =
  '(January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\\.?';
const year = '(1[0-9]\\d\\d|20\\d\\d)';

function monthNamed(written: string): string {
  return months.find((month) => month.startsWith(written.slice(0, 3))) ?? written;
}

function dayAloud(month: string, day: string, ofYear: string | undefined): string {
  const said = `${month} ${ordinalAloud(Number(day))}`;
  return ofYear === undefined ? said : `${said}, ${yearAloud(Number(ofYear))}`;
}

function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

function clockAloud(hour: number, minute: number, half: string | undefined): string {
  const suffix = half === undefined ? '' : ` ${half.charAt(0).toLowerCase()} m`;
  const minutes = minute === 0 ? '' : ` ${minute < 10 ? 'oh ' : ''}${toCardinal(minute)}`;
  const whole =
    minute === 0 && suffix === '' ? (hour === 0 || hour > 12 ? ' hundred hours' : " o'clock") : '';
  return `${toCardinal(hour)}${minutes}${whole}${suffix}`;
}

/** Dates and times of day in words: "2024-03-05" → "March fifth, twenty twenty-four", "9:05 pm" → "nine oh five p m". */
export function datesAloud(text: string): string {
  return text
    .replace(
      new RegExp(`\\b${year}-(\\d\\d)-(\\d\\d)(?!\\d)(?:T(?=\\d\\d:))?`, 'g'),
      (all, y: string, m: string, d: string) =>
        isDay(Number(m), Number(d))
          ? `${dayAloud(months[Number(m) - 1] ?? '', d, y)}${all.endsWith('T') ? ' at ' : ''}`
          : all,
    )
    .replace(
      new RegExp(`(?<![\\d/])(\\d{1,2})/(\\d{1,2})/${year}(?![\\d/])`, 'g'),
      (all, m: string, d: string, y: string) =>
        isDay(Number(m), Number(d)) ? dayAloud(months[Number(m) - 1] ?? '', d, y) : all,
    )
    .replace(
      new RegExp(`\\b${monthPattern} (\\d{1,2})(?:st|nd|rd|th)?(?:,? ${year})?\\b(?![.,]?\\d|:)`, 'g'),
      (all, m: string, d: string, y: string | undefined) =>
        isDay(1, Number(d)) ? dayAloud(monthNamed(m), d, y) : all,
    )
    .replace(
      new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)? (?:of )?${monthPattern}(?:,? ${year})?\\b`, 'g'),
      (all, d: string, m: string, y: string | undefined) =>
        isDay(1, Number(d))
          ? `the ${ordinalAloud(Number(d))} of ${monthNamed(m)}${y === undefined ? '' : `, ${yearAloud(Number(y))}`}`
          : all,
    )
    .replace(
      new RegExp(`\\b${monthPattern} ${year}\\b`, 'g'),
      (_all, m: string, y: string) => `${monthNamed(m)} ${yearAloud(Number(y))}`,
    )
    .replace(
      /\b([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?:\s*([ap])(?:m\b|\.m\b(?:\.(?!$))?))?(?![:\d])/gi,
      (_all, h: string, m: string, half?: string) => clockAloud(Number(h), Number(m), half),
    )
    .replace(/\b(1[0-2]|[1-9])\s*([ap])(?:m\b|\.m\b(?:\.(?!$))?)/gi, (_all, h: string, half: string) =>
      clockAloud(Number(h), 0, half),
    );
}
