import { expect, test } from 'vitest';
import { speakable } from '../../../../src-main/engine/speaking/speakable.ts';

test.each([
  ['Dr. Smith and Mrs. Jones met Prof. Lee.', 'Doctor Smith and Missus Jones met Professor Lee.'],
  ['He lives on Main St. near St. Paul.', 'He lives on Main Street near Saint Paul.'],
  ['E.g. this, i.e. that, etc.', 'for example, this, that is, that, et cetera.'],
  ['It costs $3.50.', 'It costs three dollars and fifty cents.'],
  ['€20, £1 and 20 €', 'twenty euros, one pound and twenty euros'],
  ['$0.05 or $1.5 million', 'five cents or one point five million dollars'],
  ['on 2024-03-05', 'on March fifth, twenty twenty-four'],
  [
    'March 5, 2024 and 5 March 2024',
    'March fifth, twenty twenty-four and the fifth of March, twenty twenty-four',
  ],
  ['12/25/2023', 'December twenty-fifth, twenty twenty-three'],
  ['at 9:05 pm.', 'at nine oh five p m.'],
  ['3pm, 10:00, 14:30', "three p m, ten o'clock, fourteen thirty"],
  ['in 1984, since 1905, in 2000', 'in nineteen eighty-four, since nineteen oh five, in two thousand'],
  ['The 1990s were loud.', 'The nineteen nineties were loud.'],
  ['2024-2025', 'twenty twenty-four to twenty twenty-five'],
  ['-5°C is 23 °F', 'minus five degrees Celsius is twenty-three degrees Fahrenheit'],
  ['1 km, 42.195 km, 5 ft', 'one kilometer, forty-two point one nine five kilometers, five feet'],
  [
    '100 GB at 3.5 GHz, 80 km/h',
    'one hundred gigabytes at three point five gigahertz, eighty kilometers per hour',
  ],
  ['1,234,567 people', 'one million two hundred thirty-four thousand five hundred sixty-seven people'],
  ['10–20% off', 'ten to twenty percent off'],
  ['the 1st, 2nd and 23rd', 'the first, second and twenty-third'],
  ['3/4 of 2 1/2 cups', 'three quarters of two and one half cups'],
  ['Call 555-123-4567', 'Call five five five, one two three, four five six seven'],
  ['agent 007', 'agent zero zero seven'],
  ['World War II, Louis XIV', 'World War two, Louis the fourteenth'],
  ['x = 3 + 4', 'x equals three plus four'],
  ['Fish & chips', 'Fish and chips'],
  ['Fig. 3, No. 5, p. 7', 'figure three, number five, page seven'],
  ['See **bold**, _slanted_ and ~~gone~~.', 'See bold, slanted and gone.'],
  ['snake_case_name stays', 'snake_case_name stays'],
  ['Read [the docs](https://a.org/b_c).', 'Read the docs.'],
  ['Go to https://www.example.com/x?y=1, now.', 'Go to example dot com, now.'],
  ['Write to a.b@c.org.', 'Write to a dot b at c dot org.'],
  ['Use `getUserName()` in `src/main.ts`.', 'Use get User Name in src slash main dot ts.'],
  ['```python\nprint(1)\n```', 'A piece of code in python.'],
  ['```\nx\n```', 'A piece of code.'],
  ['## The plan', 'The plan.'],
  ['- [x] done', 'done'],
  ['> quoted', 'quoted'],
  ['| a | b |', 'a, b.'],
  ['Nice 😀👍🏽!', 'Nice !'],
  ['😀', ''],
  ['---', ''],
  ['…', ''],
])('%j is said as %j', (written, said) => {
  expect(speakable(written, 'en')).toBe(said);
});

test('no digit is left to be read in another way', () => {
  const text = 'At 7:15 on 1/2/2023, 3.5 kg of B12 cost $1,234.56; room 101, 1960s, 9th, GPT-4, 2^10, 50%.';
  expect(speakable(text, 'en')).not.toMatch(/\d/);
});

test('other languages keep their numbers, which eSpeak reads, and name code in their own words', () => {
  expect(speakable('**Il est** 9 heures.', 'fr')).toBe('Il est 9 heures.');
  expect(speakable('www.ejemplo.es', 'es')).toBe('ejemplo punto es');
});
