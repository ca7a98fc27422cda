import { describe, expect, it } from 'vitest';
import { readablePositions } from '../../../native-models/layers/positions.ts';

describe('the positions that an LLM’s graphs can read', () => {
  it('hold a clip of 30 s for a probe even where the context is shorter, and no more than the tables go', () => {
    expect(readablePositions(512)).toBe(2048);
    expect(readablePositions(8192)).toBe(8192);
    expect(readablePositions(131_072)).toBe(16_384);
  });
});
