import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openWeights } from '../../../native-models/formats/open-weights.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { tensorsUnder } from '../../../native-models/formats/tensors-under.ts';
import { TorchCheckpoint } from '../../../native-models/formats/torch-checkpoint.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/formats/${name}`, import.meta.url));
const checkpoint = new TorchCheckpoint(fixture('torch-checkpoint.pt'));
const golden = new Safetensors(fixture('torch-checkpoint.safetensors'));
afterAll(() => {
  checkpoint.close();
  golden.close();
});

/** A view that names elements of its storage several times. */
const repeated = 'model.repeated';

describe('a checkpoint that torch.save wrote', () => {
  it('has the tensors of its dicts and lists, under dotted names', () => {
    expect(checkpoint.names().toSorted()).toEqual(golden.names().toSorted());
  });

  it.each(golden.names().filter((name) => name !== repeated))('gives %s as PyTorch has it', (name) => {
    const [tensor, wanted] = [checkpoint.tensor(name), golden.tensor(name)];
    expect(tensor.type).toBe(wanted.type);
    expect(tensor.shape).toEqual(wanted.shape);
    expect(tensor.read()).toEqual(wanted.read());
    expect(tensor.float32()).toEqual(wanted.float32());
  });

  it.each(['turned', 'columns', 'every_second', 'cube_turned', 'wide_turned', 'table'])(
    'gives some rows of the view %s',
    (name) => {
      const [tensor, wanted] = [checkpoint.tensor(`model.${name}`), golden.tensor(`model.${name}`)];
      expect(tensor.rows(1, 1).float32()).toEqual(wanted.rows(1, 1).float32());
      expect(tensor.rows(1, 1).shape).toEqual([1, ...wanted.shape.slice(1)]);
      expect(() => tensor.rows(1, wanted.shape[0] ?? 0)).toThrow(/has no rows/);
    },
  );

  it('refuses, when it is read, a view that repeats elements', () => {
    expect(checkpoint.tensor(repeated).shape).toEqual([3, 2]);
    expect(() => checkpoint.tensor(repeated).float32()).toThrow(/several times/);
  });

  it('gives a model within it without what stands before its names', () => {
    const model = tensorsUnder(checkpoint, 'model.');
    expect(model.names()).toContain('parameter');
    expect([...model.tensor('parameter').float32()]).toEqual([1, -1]);
    expect(model.has('types.int8')).toBe(false);
    expect(() => model.tensor('other')).toThrow(/no tensor model\.other/);
  });

  it('says everything else as settings', () => {
    expect(checkpoint.settings).toMatchObject({
      epoch: 3,
      large: String(2n ** 70n),
      rate: 1e-4,
      name: 'Größe',
      none: null,
      flags: [true, false],
      shape: [2, 3],
      dtype: 'torch.bfloat16',
      device: 'cpu',
      args: { layers: 2, inner: { rank: 8 }, pair: [1, 'two'] },
      moments: [null, null],
    });
    expect(Object.keys(checkpoint.settings ?? {})).toContain('__proto__');
    expect({}).not.toHaveProperty('polluted');
  });

  it('may be one tensor alone, in another protocol', () => {
    const alone = openWeights(fixture('torch-one-tensor.pt'));
    expect(alone.names()).toEqual(['tensor']);
    expect([...alone.tensor('tensor').float32()]).toEqual([7]);
    alone.close();
  });

  it('is refused, naming the culprit, when loading it in Python would run a command', () => {
    expect(() => openWeights(fixture('torch-harmful.pt'))).toThrow(/wants (posix|nt)\.system/);
  });
});
