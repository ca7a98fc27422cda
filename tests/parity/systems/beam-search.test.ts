import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { BeamSearch } from '../../../src-main/engine/beam-search.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';

const cases = z
  .array(
    z.object({
      spread: z.number(),
      start: z.number(),
      beams: z.number(),
      eos: z.array(z.number()),
      most: z.number(),
      penalty: z.number(),
      tokens: z.array(z.number()),
      stopped: z.boolean(),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/systems/beams.json', import.meta.url), 'utf8')));

const vocabulary = 24;

it('beam search answers what transformers does, and what it calls settled never changes again', () => {
  expect(cases.length).toBeGreaterThan(40);
  for (const { spread, start, beams, eos, most, penalty, ...expected } of cases) {
    const table = numbered('table', [vocabulary, vocabulary, vocabulary], spread);
    const logitsAfter = (tokens: readonly number[]) => {
      const [before = 0, last = 0] = [0, start, ...tokens].slice(-2);
      const from = (before * vocabulary + last) * vocabulary;
      return table.slice(from, from + vocabulary);
    };
    const search = new BeamSearch({ beams, eosTokens: eos, mostTokens: most, repetitionPenalty: penalty });
    const settled: number[] = [];
    while (!search.done) {
      search.advance(search.running.map(({ tokens }) => logitsAfter(tokens)));
      settled.push(...search.best.tokens.slice(settled.length, search.settled));
    }
    expect(search.best, JSON.stringify({ spread, start, beams, eos })).toMatchObject(expected);
    expect(settled).toEqual(search.best.tokens);
  }
});
