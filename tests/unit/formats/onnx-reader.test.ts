import { describe, expect, it } from 'vitest';
import { OnnxModel } from '../../../native-models/formats/onnx-reader.ts';
import { ProtobufWriter } from '../../../native-models/formats/protobuf-writer.ts';
import { MemoryFiles } from '../../fixtures/formats/memory-files.ts';

const message = () => new ProtobufWriter();
const pair = (key: string, value: string) => message().string(1, key).string(2, value);

/** A tensor of two f32 with its data elsewhere. */
function outside(entries: Readonly<Record<string, string>>): ProtobufWriter {
  const tensor = message().integer(1, 2).integer(2, 1).string(8, 'w').integer(14, 1);
  for (const [key, value] of Object.entries(entries)) tensor.message(13, pair(key, value));
  return tensor;
}
const modelOf = (...tensors: ProtobufWriter[]) => {
  const graph = message();
  for (const tensor of tensors) graph.message(5, tensor);
  return message().integer(1, 10).message(7, graph).finish();
};
function opened(model: Uint8Array, others: Readonly<Record<string, Uint8Array>> = {}) {
  const files = new MemoryFiles({ '/m/model.onnx': model, ...others });
  return { files, open: () => new OnnxModel('/m/model.onnx', files) };
}

describe('external data of an ONNX model', () => {
  const values = new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer);

  it('are opened when they are asked for, and not before', () => {
    const place = { location: './w.data', offset: '4', length: '8' };
    const { files, open } = opened(modelOf(outside(place)), { '/m/w.data': values });
    const tensor = open().tensor('w');
    expect(files.wanted).toEqual(['/m/model.onnx']);
    expect([...tensor.float32()]).toEqual([1, 2]);
    expect(files.wanted).toEqual(['/m/model.onnx', '/m/w.data']);
  });

  it('lie in a file beside the model and nowhere else', () => {
    for (const location of ['../w.data', '/w.data', 'sub/../../w.data', '..\\w.data', 'C:w', '', '.', '..']) {
      const { files, open } = opened(modelOf(outside({ location })), { '/w.data': values });
      expect(open, location).toThrow(/no file beside it/);
      expect(files.wanted).toEqual(['/m/model.onnx']);
    }
  });

  it('are refused at places that are none, and outside of their file', () => {
    for (const place of [
      { offset: '-1' },
      { offset: '1e3' },
      { offset: '99999999999999999999' },
      { length: '9' },
      { length: '' },
    ])
      expect(opened(modelOf(outside({ location: 'w.data', ...place }))).open).toThrow(
        /place of .* w in w\.data/,
      );
    const beyond = outside({ location: 'w.data', offset: '12' });
    const tensor = opened(modelOf(beyond), { '/m/w.data': values }).open().tensor('w');
    expect(() => tensor.read()).toThrow(expect.objectContaining({ code: 'file-truncated' }));
    const missing = opened(modelOf(beyond)).open().tensor('w');
    expect(() => missing.float32()).toThrow(expect.objectContaining({ code: 'file-missing' }));
  });
});

describe('an ONNX model is refused', () => {
  const tensor = (shape: readonly (number | bigint)[], type = 1) => {
    const writer = message().integer(2, type).string(8, 'w');
    for (const size of shape) writer.integer(1, size);
    return writer;
  };

  it('when it is cut anywhere', () => {
    const whole = modelOf(tensor([2]).bytes(9, new Uint8Array(8)));
    for (let length = 0; length < whole.length; length++)
      expect(opened(whole.subarray(0, length)).open, `${length} bytes`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^file-(truncated|invalid)$/) }),
      );
  });

  it('when a tensor does not fill its shape, or has one beyond belief', () => {
    expect(opened(modelOf(tensor([3]).bytes(9, new Uint8Array(8)))).open).toThrow(/8 bytes, not 12/);
    expect(opened(modelOf(tensor([2 ** 40, 2 ** 40]))).open).toThrow(/not believable/);
    expect(opened(modelOf(tensor([-1]))).open).toThrow(/shape .* not believable/);
    expect(opened(modelOf(tensor(new Array(40).fill(1)))).open).toThrow(/not believable/);
    const short = opened(modelOf(tensor([3]).bytes(4, new Uint8Array(8)))).open();
    expect(() => short.tensor('w').float32()).toThrow(/as many numbers as its shape says/);
    const endless = opened(modelOf(tensor([2 ** 40]))).open();
    expect(() => endless.tensor('w').read()).toThrow(/as many numbers as its shape says/);
  });

  it('when tensors share a name, or are of a type that is not read', () => {
    const one = () => tensor([1]).bytes(9, new Uint8Array(4));
    expect(opened(modelOf(one(), one())).open).toThrow(/two initializers are called w/);
    expect(opened(modelOf(tensor([1], 8))).open).toThrow(/type string/);
    expect(opened(modelOf(tensor([1], 99))).open).toThrow(/unknown type 99/);
  });

  it('when its graphs nest too deeply', () => {
    let node = message().string(4, 'If');
    for (let depth = 0; depth < 40; depth++)
      node = message()
        .string(4, 'If')
        .message(5, message().message(6, message().message(1, node)));
    const model = message().integer(1, 10).message(7, message().message(1, node)).finish();
    expect(opened(model).open).toThrow(/nested too deeply/);
  });
});
