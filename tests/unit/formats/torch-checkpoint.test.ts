import { describe, expect, it } from 'vitest';
import { TorchCheckpoint } from '../../../native-models/formats/torch-checkpoint.ts';
import { MemoryFiles } from '../../fixtures/formats/memory-files.ts';
import {
  dict,
  emptyDict,
  global,
  integer,
  mark,
  type PickleStep,
  pickle,
  reduce,
  tensor,
  tuple,
  unicode,
} from '../../fixtures/formats/pickle-steps.ts';
import { type ZipOptions, zipBytes } from '../../fixtures/formats/zip-bytes.ts';

const numbers = Buffer.from(Float32Array.from({ length: 6 }, (_, i) => i).buffer);
type Entries = readonly (readonly [string, Uint8Array])[];

function opening(bytes: Uint8Array) {
  return () => new TorchCheckpoint('/m/model.pt', new MemoryFiles({ '/m/model.pt': bytes }));
}
const zipOf = (steps: readonly PickleStep[], more: Entries = [], options: ZipOptions = {}) =>
  zipBytes([['model/data.pkl', pickle(steps)], ['model/data/0', numbers], ...more], options);
const holding = (steps: readonly PickleStep[], more: Entries = [], options: ZipOptions = {}) =>
  opening(zipOf(steps, more, options));
const whole = () => tensor('0', 6, 0, [2, 3], [3, 1]);

describe('a PyTorch checkpoint', () => {
  it('is read with 64-bit sizes and places too', () => {
    for (const wide of [false, true]) {
      const checkpoint = holding(dict({ w: whole() }), [], { wide })();
      expect([...checkpoint.tensor('w').float32()]).toEqual([0, 1, 2, 3, 4, 5]);
    }
  });

  it('is refused wherever it is cut off', () => {
    const bytes = zipOf(dict({ w: whole() }));
    for (let length = 4; length < bytes.length; length++)
      expect(opening(bytes.subarray(0, length)), `${length} bytes`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^file-(truncated|invalid)$/) }),
      );
  });

  it('is refused when its zip is compressed, encrypted, no checkpoint, a program, or of the other byte order', () => {
    expect(holding(dict({}), [], { method: 8 })).toThrow(/compressed/);
    expect(holding(dict({}), [], { flags: 1 })).toThrow(/encrypted/);
    expect(opening(zipBytes([['arr_0.npy', numbers]]))).toThrow(/none of torch\.save/);
    expect(holding(dict({}), [['model/constants.pkl', numbers]])).toThrow(/TorchScript/);
    expect(holding(dict({}), [['model/byteorder', Buffer.from('big')]])).toThrow(/byte order/);
    expect(holding(dict({}), [['model/byteorder', Buffer.from('little')]])).not.toThrow();
  });

  it('is refused when its zip lies about its entries', () => {
    expect(holding(dict({}), [], { count: 3 })).toThrow(expect.objectContaining({ code: 'file-invalid' }));
    expect(holding(dict({}), [], { count: 60_000 })).toThrow(/do not fit/);
    expect(holding(dict({}), [], { wide: true, count: 2 ** 52 })).toThrow(/not believable/);
    expect(holding(dict({}), [], { wide: true, directoryOffset: 2 ** 52 })).toThrow(
      expect.objectContaining({ code: 'file-truncated' }),
    );
    expect(holding(dict({}), [['model/data/0', numbers]])).toThrow(/in the zip twice/);
  });

  it('never uses the name of an entry as a path', () => {
    const files = new MemoryFiles({
      '/m/model.pt': zipBytes([
        ['../data.pkl', pickle(dict({ w: tensor('../../outside', 6, 0, [6], [1]) }))],
        ['../data/../../outside', numbers],
      ]),
    });
    const checkpoint = new TorchCheckpoint('/m/model.pt', files);
    expect([...checkpoint.tensor('w').float32()]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(files.wanted).toEqual(['/m/model.pt']);
  });

  it.each([
    ['os', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['torch', 'load'],
    ['torch.hub', 'load'],
    ['constructor', 'constructor'],
    ['numpy.core.multiarray', '_reconstruct'],
  ])('is refused when it wants %s.%s, and says so', (module, name) => {
    const steps = [global(module, name), mark, unicode('true'), tuple, reduce];
    expect(holding(dict({ w: steps }))).toThrow(`wants ${module}.${name} of Python`);
    expect(holding(dict({ w: [unicode(module), unicode(name), Buffer.from([0x93])] }))).toThrow(
      `wants ${module}.${name} of Python`,
    );
  });

  it('is refused when it uses opcodes that weights do not need', () => {
    for (const opcode of ['i', 'o', 'P', '\x82', '\x92', '\x97', '\x98', 'V', 'I'])
      expect(holding([Buffer.from(opcode, 'latin1')]), opcode).toThrow(/opcode 0x/);
  });

  it('is refused when its pickle makes no sense', () => {
    const broken: readonly (readonly PickleStep[])[] = [
      [],
      [tuple],
      [Buffer.from('h\x05')],
      [emptyDict, unicode('a'), Buffer.from('s')],
      [integer(1), integer(2), reduce],
      [mark, emptyDict, mark, unicode('a'), Buffer.from('u'), tuple, Buffer.from('0'), Buffer.from('0')],
      [integer(1), Buffer.from('a')],
      [Buffer.from([0x8b, 0xff, 0xff, 0xff, 0x7f])],
      [Buffer.from([0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
      [unicode('an id'), Buffer.from('Q')],
      [emptyDict, emptyDict, Buffer.from('Q')],
    ];
    for (const [i, steps] of broken.entries())
      expect(holding(steps), `pickle ${i}`).toThrow(expect.objectContaining({ code: 'file-invalid' }));
  });

  it('is refused when its values hold themselves, or repeat without end', () => {
    const list = [Buffer.from(']'), Buffer.from('q\x00'), Buffer.from('h\x00'), Buffer.from('a')];
    expect(holding(list)).toThrow(/circle/);
    // Each list holds the one before it eight times.
    const again = Buffer.from('(h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00t', 'latin1');
    const bomb = [Buffer.from(']q\x00', 'latin1')];
    for (let i = 0; i < 20; i++) bomb.push(again, Buffer.from('q\x00', 'latin1'));
    expect(holding(bomb)).toThrow(/holds more than/);
  });

  it('is refused when it would fill the memory with empty things', () => {
    expect(holding([Buffer.alloc(500_000, '}')])).toThrow(/makes more than 400000 objects/);
    expect(holding([Buffer.alloc(3_500_000, ']')])).toThrow(/more than 3000000 steps/);
    expect(holding(dict({}), [], { wide: true, count: 300_000 })).toThrow(/300000 entries/);
  });

  it('is refused when tensors reach beyond their storage, or their storage beyond the zip', () => {
    const refused = (shape: number[], strides: number[], offset = 0, elements = 6) =>
      expect(holding(dict({ w: tensor('0', elements, offset, shape, strides) })));
    refused([2, 4], [3, 1]).toThrow(/beyond its storage/);
    refused([7], [1]).toThrow(/beyond its storage/);
    refused([6], [1], 1).toThrow(/beyond its storage/);
    refused([2], [2 ** 50]).toThrow(/beyond its storage/);
    refused([2 ** 30, 2 ** 30], [1, 1]).toThrow(/not believable/);
    refused([6], [-1]).toThrow(/makes no sense/);
    refused([-6], [1]).toThrow(/makes no sense/);
    refused([6], []).toThrow(/makes no sense/);
    refused([6], [1], 0, 7).toThrow(/24 bytes, not 28/);
    expect(holding(dict({ w: tensor('1', 6, 0, [6], [1]) }))).toThrow(/storage 1 is missing/);
    expect(holding(dict({ w: tensor('0', 6, 0, [6], [1], 'QInt8Storage') }))).toThrow(
      /wants torch\.QInt8Storage/,
    );
  });

  it('is refused when two tensors get one name', () => {
    expect(holding(dict({ 'a.b': whole(), a: dict({ b: whole() }) }))).toThrow(/two tensors are called a\.b/);
  });

  it('reads views of any order, and refuses those that name an element twice', () => {
    const read = (shape: number[], strides: number[], offset = 0) =>
      Array.from(
        holding(dict({ w: tensor('0', 6, offset, shape, strides) }))()
          .tensor('w')
          .float32(),
      );
    expect(read([3, 2], [1, 3])).toEqual([0, 3, 1, 4, 2, 5]);
    expect(read([2, 2], [1, 3], 1)).toEqual([1, 4, 2, 5]);
    expect(read([1, 3, 1, 2], [9, 1, 7, 3])).toEqual([0, 3, 1, 4, 2, 5]);
    expect(read([3, 0], [1, 9])).toEqual([]);
    expect(() => read([3, 2], [0, 1])).toThrow(/several times/);
    expect(() => read([2, 3], [2, 1])).toThrow(/several times/);
  });
});
