import { awkwardNames, awkwardNumbers, type Random } from './random.ts';

/** Text that stands for a number which JSON itself cannot write. */
const literals = [
  '1e999',
  '-1e999',
  '9007199254740993',
  '-0',
  '1e-7',
  '0.1',
  '123456789012345678901234567890',
];

function awkwardValue(random: Random): unknown {
  return random.pick<() => unknown>([
    () => random.pick(awkwardNumbers),
    () => random.pick(awkwardNames),
    () => null,
    () => [],
    () => ({}),
    () => true,
    () => Array.from({ length: random.below(40) }, () => random.pick(awkwardNumbers)),
    () => ({ [random.pick(awkwardNames)]: random.pick(awkwardNumbers) }),
  ])();
}

/** A copy in which one value or name, anywhere, is another or gone. */
export function mutateValue(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.15)) return awkwardValue(random);
  if (Array.isArray(value)) {
    const copy: unknown[] = [...value];
    const at = random.below(copy.length + 1);
    if (random.chance(0.1)) copy.splice(at, 1);
    else copy[at] = mutateValue(copy[at], random);
    return copy;
  }
  const entries = Object.entries(value);
  const at = random.below(entries.length);
  const entry = entries[at];
  if (entry === undefined) return awkwardValue(random);
  const [name, inner] = entry;
  const kind = random.below(10);
  if (kind === 0) entries.splice(at, 1);
  else if (kind === 1) entries[at] = [random.pick(awkwardNames), inner];
  else if (kind === 2) entries.push([`${name}2`, inner]);
  else entries[at] = [name, mutateValue(inner, random)];
  return Object.fromEntries(entries);
}

/** JSON text with values changed, and at times with names given twice, impossible numbers or endless nesting. */
export function mutateJson(value: unknown, random: Random): string {
  let mutated = value;
  for (let left = random.below(4); left > 0; left--) mutated = mutateValue(mutated, random);
  let text = JSON.stringify(mutated) ?? '';
  if (random.chance(0.1)) text = text.replace(/\d+/, random.pick(literals));
  if (random.chance(0.05)) text = text.replace(/^\{("[^"]*":)/, (_, first: string) => `{${first}1,${first}`);
  if (random.chance(0.02)) text = text.replace(/\d+/, '['.repeat(random.below(20_000)));
  return text;
}
