import { expect, it } from 'vitest';
import { rotaryFromConfig } from '../../../native-models/architectures/llms/decoder/config-rotary.ts';
import { shapeFromConfig } from '../../../native-models/architectures/llms/decoder/config-settings.ts';
import { ConfigFields } from '../../../native-models/formats/config-fields.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import { rotaryFrequencies, rotaryTables } from '../../../native-models/layers/rotary.ts';
import { golden } from '../../fixtures/llms/golden.ts';
import { runGraph, valuesOf } from '../../unit/graph/run-graph.ts';

for (const { name, config, positions, frequencies, cosines, sines } of golden.rotary)
  it(`rotary positions, ${name}: frequencies and tables are those of transformers, far out too`, async () => {
    const fields = new ConfigFields('config.json', config);
    const shape = shapeFromConfig(fields, { epsilon: 1e-6, contextLength: 1 });
    const { rotary } = rotaryFromConfig(fields, shape, 1);
    const half = rotary.dimensions / 2;
    const every = <T>(values: ArrayLike<T>) => Array.from(values).filter((_, i) => i % 7 === 0);
    const ours = every(rotaryFrequencies(rotary).frequencies);
    const apart = ours.map((frequency, i) => Math.abs(frequency - Math.fround(frequencies[i] ?? Number.NaN)));
    // One step of single precision.
    apart.forEach((difference, i) => {
      expect(difference).toBeLessThan(1.3e-7 * (frequencies[i] ?? 0));
    });
    expect(apart.filter((difference) => difference > 0).length).toBeLessThan(2);
    const g = new Graph('rotary');
    const tables = rotaryTables(g, 'rotary', 8192, rotary);
    g.output('cosines', tables.cosines);
    g.output('sines', tables.sines);
    const outputs = await runGraph(g, {});
    for (const [table, expected] of [
      [outputs.cosines, cosines],
      [outputs.sines, sines],
    ] as const) {
      const values = Float32Array.from(valuesOf(table));
      positions.forEach((position, row) => {
        every(values.subarray(position * half, (position + 1) * half)).forEach((value, i) => {
          const difference = Math.abs(value - (expected[row]?.[i] ?? Number.NaN));
          expect(difference, `position ${position}`).toBeLessThan(1e-6 + 1.5 * position * (apart[i] ?? 0));
        });
      });
    }
  });
