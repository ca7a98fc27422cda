import { toCardinal } from 'n2words/en-US';
import { numberAloud } from './english-numbers.ts';

/** Singular and, where it is not the singular with an s, plural. */
const units: Readonly<Record<string, readonly [one: string, many?: string]>> = {
  km: ['kilometer'],
  m: ['meter'],
  cm: ['centimeter'],
  mm: ['millimeter'],
  µm: ['micrometer'],
  nm: ['nanometer'],
  mi: ['mile'],
  ft: ['foot', 'feet'],
  yd: ['yard'],
  'km/h': ['kilometer per hour', 'kilometers per hour'],
  mph: ['mile per hour', 'miles per hour'],
  'm/s': ['meter per second', 'meters per second'],
  'm²': ['square meter'],
  m2: ['square meter'],
  'km²': ['square kilometer'],
  km2: ['square kilometer'],
  'm³': ['cubic meter'],
  m3: ['cubic meter'],
  'cm³': ['cubic centimeter'],
  t: ['ton'],
  kg: ['kilogram'],
  g: ['gram'],
  mg: ['milligram'],
  µg: ['microgram'],
  lb: ['pound'],
  lbs: ['pound'],
  oz: ['ounce'],
  l: ['liter'],
  L: ['liter'],
  ml: ['milliliter'],
  mL: ['milliliter'],
  cl: ['centiliter'],
  gal: ['gallon'],
  s: ['second'],
  sec: ['second'],
  ms: ['millisecond'],
  µs: ['microsecond'],
  ns: ['nanosecond'],
  min: ['minute'],
  h: ['hour'],
  hr: ['hour'],
  hrs: ['hour'],
  B: ['byte'],
  kB: ['kilobyte'],
  KB: ['kilobyte'],
  MB: ['megabyte'],
  GB: ['gigabyte'],
  TB: ['terabyte'],
  'MB/s': ['megabyte per second', 'megabytes per second'],
  'GB/s': ['gigabyte per second', 'gigabytes per second'],
  Mbps: ['megabit per second', 'megabits per second'],
  Gbps: ['gigabit per second', 'gigabits per second'],
  Hz: ['hertz', 'hertz'],
  kHz: ['kilohertz', 'kilohertz'],
  MHz: ['megahertz', 'megahertz'],
  GHz: ['gigahertz', 'gigahertz'],
  W: ['watt'],
  kW: ['kilowatt'],
  MW: ['megawatt'],
  kWh: ['kilowatt hour'],
  V: ['volt'],
  mA: ['milliampere'],
  A: ['ampere'],
  J: ['joule'],
  kJ: ['kilojoule'],
  kcal: ['kilocalorie'],
  cal: ['calorie'],
  N: ['newton'],
  Pa: ['pascal'],
  kPa: ['kilopascal'],
  hPa: ['hectopascal'],
  dB: ['decibel'],
  px: ['pixel'],
  '°C': ['degree Celsius', 'degrees Celsius'],
  '°F': ['degree Fahrenheit', 'degrees Fahrenheit'],
  '°': ['degree'],
  K: ['kelvin'],
  '%': ['percent', 'percent'],
  '‰': ['per mille', 'per mille'],
};

const currencies: Readonly<
  Record<string, readonly [one: string, many: string, part: string, parts: string]>
> = {
  $: ['dollar', 'dollars', 'cent', 'cents'],
  US$: ['US dollar', 'US dollars', 'cent', 'cents'],
  '€': ['euro', 'euros', 'cent', 'cents'],
  '£': ['pound', 'pounds', 'penny', 'pence'],
  '¥': ['yen', 'yen', 'sen', 'sen'],
  '₹': ['rupee', 'rupees', 'paisa', 'paise'],
};

const number = '(\\d{1,3}(?:,\\d{3})+(?:\\.\\d+)?|\\d+(?:\\.\\d+)?)';
const scale = '(?:\\s?(thousand|million|billion|trillion|k|m|bn|M|B)\\b)?';
const scales: Readonly<Record<string, string>> = {
  k: 'thousand',
  m: 'million',
  M: 'million',
  bn: 'billion',
  B: 'billion',
};
const escaped = (text: string): string => text.replace(/[$/.]/g, '\\$&');
const byLength = (table: object): string =>
  Object.keys(table)
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join('|');

const before = new RegExp(`(${byLength(currencies)})\\s?${number}${scale}`, 'g');
const behind = new RegExp(`${number}${scale}\\s?(€|£|¥|₹)`, 'g');
const measured = new RegExp(`${number}[\\s\u00a0]?(${byLength(units)})(?![\\p{L}\\d²³/])`, 'gu');

function moneyAloud(sign: string, amount: string, size: string | undefined): string {
  const [one, many, part, parts] = currencies[sign] ?? [sign, sign, '', ''];
  if (size !== undefined) return `${numberAloud(amount)} ${scales[size] ?? size} ${many}`;
  const [whole = '0', fraction] = amount.replaceAll(',', '').split('.');
  const main = `${numberAloud(whole)} ${whole === '1' ? one : many}`;
  if (fraction === undefined || Number(fraction) === 0) return main;
  if (fraction.length !== 2) return `${numberAloud(amount)} ${many}`;
  const cents = `${toCardinal(Number(fraction))} ${Number(fraction) === 1 ? part : parts}`;
  return Number(whole) === 0 ? cents : `${main} and ${cents}`;
}

/** Sums of money and measures in words: "$3.50" → "three dollars and fifty cents", "5 km" → "five kilometers". */
export function unitsAloud(text: string): string {
  return text
    .replace(before, (_all, sign: string, amount: string, size?: string) => moneyAloud(sign, amount, size))
    .replace(behind, (_all, amount: string, size: string | undefined, sign: string) =>
      moneyAloud(sign, amount, size),
    )
    .replace(measured, (_all, amount: string, unit: string) => {
      const [one, many = `${one}s`] = units[unit] ?? [unit];
      return `${numberAloud(amount)} ${amount === '1' ? one : many}`;
    });
}
