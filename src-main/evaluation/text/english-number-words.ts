const small = [
  ...['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'],
  ...['thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen'],
];
const byTen = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const byThousand = [
  ...['thousand', 'million', 'billion', 'trillion', 'quadrillion', 'quintillion', 'sextillion'],
  ...['septillion', 'octillion', 'nonillion', 'decillion'],
];

/** A number's value, and the letters that its figures keep: fifths is 5 and "ths". */
interface Suffixed {
  readonly value: bigint;
  readonly suffix: string;
}

export const zeros: ReadonlySet<string> = new Set(['o', 'oh', 'zero']);

/** One to nineteen. */
export const ones: ReadonlyMap<string, bigint> = new Map(
  small.map((name, index) => [name, BigInt(index + 1)]),
);

/** Twenty to ninety. */
export const tens: ReadonlyMap<string, bigint> = new Map(
  byTen.map((name, index) => [name, BigInt(10 * (index + 2))]),
);

export const multipliers: ReadonlyMap<string, bigint> = new Map([
  ['hundred', 100n],
  ...byThousand.map((name, index) => [name, 1000n ** BigInt(index + 1)] as const),
]);

function plural(name: string): string {
  return name === 'six' ? 'sixes' : `${name}s`;
}

/** By the rule of the public implementation, which knows "nineth" and not "ninth". */
function regularOrdinal(name: string): string {
  return name.endsWith('t') ? `${name}h` : `${name}th`;
}

function suffixed(
  numbers: ReadonlyMap<string, bigint>,
  form: (name: string) => string,
  suffix: string,
): Array<[string, Suffixed]> {
  return [...numbers].map(([name, value]) => [form(name), { value, suffix }]);
}

const irregular = new Set([1n, 2n, 3n, 5n, 12n]);

export const onesSuffixed: ReadonlyMap<string, Suffixed> = new Map([
  ...suffixed(ones, plural, 's'),
  ['zeroth', { value: 0n, suffix: 'th' }],
  ['first', { value: 1n, suffix: 'st' }],
  ['second', { value: 2n, suffix: 'nd' }],
  ['third', { value: 3n, suffix: 'rd' }],
  ['fifth', { value: 5n, suffix: 'th' }],
  ['twelfth', { value: 12n, suffix: 'th' }],
  ...suffixed(new Map([...ones].filter(([, value]) => !irregular.has(value))), regularOrdinal, 'th'),
]);

export const tensSuffixed: ReadonlyMap<string, Suffixed> = new Map([
  ...suffixed(tens, (name) => name.replace('y', 'ies'), 's'),
  ...suffixed(tens, (name) => name.replace('y', 'ieth'), 'th'),
]);

export const multipliersSuffixed: ReadonlyMap<string, Suffixed> = new Map([
  ...suffixed(multipliers, plural, 's'),
  ...suffixed(multipliers, (name) => `${name}th`, 'th'),
]);

/** Said before a number, written before it. */
export const signs: ReadonlyMap<string, string> = new Map([
  ['minus', '-'],
  ['negative', '-'],
  ['plus', '+'],
  ['positive', '+'],
]);

/** Said after a number, written before it. */
export const currencies: ReadonlyMap<string, string> = new Map([
  ...['pound', 'pounds'].map((name) => [name, '£'] as const),
  ...['euro', 'euros'].map((name) => [name, '€'] as const),
  ...['dollar', 'dollars'].map((name) => [name, '$'] as const),
  ...['cent', 'cents'].map((name) => [name, '¢'] as const),
]);

export const prefixes: ReadonlySet<string> = new Set([...signs.values(), ...currencies.values()]);

const joining = ['and', 'double', 'triple', 'point', 'per', 'percent'];

/** Every word that can be part of a number. */
export const numberWords: ReadonlySet<string> = new Set([
  ...[
    zeros,
    ones,
    onesSuffixed,
    tens,
    tensSuffixed,
    multipliers,
    multipliersSuffixed,
    signs,
    currencies,
  ].flatMap((words) => [...words.keys()]),
  ...joining,
]);

/** What can follow "point". */
export const decimals: ReadonlySet<string> = new Set([...ones.keys(), ...tens.keys(), ...zeros]);
