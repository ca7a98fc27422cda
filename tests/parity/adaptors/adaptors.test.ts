import { describe, expect, it } from 'vitest';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { adaptorCases } from './adaptor-cases.ts';
import { adapted, adaptorRequest, expectParity } from './adaptor-kit.ts';
import { salmonnShapes } from './q-former-shapes.ts';

describe.each(Object.entries(adaptorCases))('the adaptor equals %s', (_, given) => {
  it('as it is', () => expectParity(given));

  it("in other providers' operators, as it is and with 8-bit blocks", async () => {
    for (const target of ['plain', 'webgpu', 'directml'] as const) {
      await expectParity(given, { target });
      await expectParity(given, { target, kind: 'byte-blocks' });
    }
  });

  it('with 8-bit blocks', () => expectParity(given, { kind: 'byte-blocks' }));

  it('with activations rounded on the way', () => expectParity(given, { kind: 'dynamic-int8' }));
});

describe('the windows of SALMONN', () => {
  it('are 88 of a clip of 30 s, which Whisper makes 1500 frames of and BEATs 1496', async () => {
    const given = { options: { heads: 3 }, shapes: salmonnShapes(1, 2, true), secondFrames: 1496 };
    const built = adaptorArchitecture('window-q-former').build(adaptorRequest(given));
    const { dims } = await adapted(built, { frames: 1500, secondFrames: 1496 });
    expect(dims).toEqual([1, 88, 32]);
  });
});
