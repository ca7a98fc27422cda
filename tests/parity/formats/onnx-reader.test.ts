import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { OnnxModel } from '../../../native-models/formats/onnx-reader.ts';
import { openWeights } from '../../../native-models/formats/open-weights.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/formats/${name}`, import.meta.url));
const golden: Record<string, { shape: number[]; values: number[]; bytes: string }> = JSON.parse(
  readFileSync(fixture('onnx-model.json'), 'utf8'),
);
const model = new OnnxModel(fixture('onnx-model.onnx'));
afterAll(() => model.close());

describe('an ONNX model, against the onnx package', () => {
  it('is opened by its content, with its initializers', () => {
    const weights = openWeights(fixture('onnx-model.onnx'));
    expect(weights.names()).toEqual(Object.keys(golden));
    weights.close();
  });

  it.each(Object.entries(golden))(
    'gives %s as it is stored and as numbers',
    (name, { shape, values, bytes }) => {
      const tensor = model.tensor(name);
      expect(tensor.shape).toEqual(shape);
      expect(Buffer.from(tensor.read()).toString('hex')).toBe(bytes);
      expect([...tensor.float32()]).toEqual(values.map(Math.fround));
    },
  );

  it.each(['raw', 'floats', 'outside'])('gives some rows of %s', (name) => {
    const { shape, values } = golden[name] ?? { shape: [], values: [] };
    const [rows = 0, columns = 0] = shape;
    const last = model
      .tensor(name)
      .rows(rows - 2, 2)
      .rows(1, 1);
    expect(last.shape).toEqual([1, columns]);
    expect([...last.float32()]).toEqual(values.slice(-columns).map(Math.fround));
    expect(() => model.tensor(name).rows(1, rows)).toThrow(/has no rows/);
  });

  it('says what it takes, gives and uses', () => {
    expect(model.description).toEqual({
      irVersion: 10,
      producer: 'golden',
      opsets: new Map([
        ['', 21],
        ['com.microsoft', 1],
      ]),
      metadata: new Map([
        ['language', 'en'],
        ['empty', ''],
      ]),
      inputs: [
        { name: 'x', type: 'float32', shape: ['batch', 2, null] },
        { name: 'condition', type: 'bool', shape: [] },
      ],
      outputs: [
        { name: 'y', type: 'float16', shape: ['batch', 3] },
        { name: 'z', type: 'int64', shape: null },
      ],
      operators: new Map([
        ['MatMul', 1],
        ['Identity', 2],
        ['If', 1],
        ['com.microsoft.MatMulNBits', 1],
      ]),
    });
  });
});
