import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import type { Provider } from '../../contract/conversation.ts';
import { engineFailed } from '../failures.ts';
import { residesOnDevice } from '../onnxruntime/providers.ts';
import { type Feeds, floats, type Outputs, Session } from '../onnxruntime/session.ts';
import type { TensorCutter } from './device-cache.ts';
import type { CacheShape } from './key-value-cache.ts';

/**
 * A graph of one Slice, opened twice: once its output stays on the device, once it comes here. It is the only way to shorten
 * or read a device's tensor: onnxruntime-node ends the whole process when asked for the data of one directly.
 */
export async function openCutter(
  shape: CacheShape,
  provider: Provider,
  threads: number,
): Promise<TensorCutter & { close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-cut-'));
  try {
    const path = join(folder, 'cut.onnx');
    await withDataFile(`${path}.data`, (data) => writeModel(cutGraph(shape), path, data));
    const needs = { provider, threads, spin: false };
    const here = await Session.open('the cache cutter', path, needs);
    const there = residesOnDevice(provider)
      ? await Session.open('the cache cutter', path, { ...needs, resident: ['cut'] })
      : here;
    return cutterOf(here, there);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cutterOf(here: Session, there: Session): TensorCutter & { close(): Promise<void> } {
  return {
    cut: async (tensor, length) => cutOf(await there.run(feeds(tensor, length), ['cut']), there),
    fetch: async (tensor) =>
      // A tensor that is here already, or holds nothing, needs no run.
      tensor.location === 'cpu' && tensor.data instanceof Float32Array
        ? tensor.data
        : floats(await here.run(feeds(tensor, tensor.dims[2] ?? 0), ['cut']), 'cut', here),
    close: async () => {
      await here.close();
      if (there !== here) await there.close();
    },
  };
}

function cutGraph({ kvHeads, headSize }: CacheShape) {
  const graph = new Graph('cut');
  const past = graph.input('past', 'float32', [1, kvHeads, 'P', headSize]);
  const length = graph.input('length', 'int64', [1]);
  graph.output('cut', graph.sliceAt(past, 2, graph.int64s([0]), length, 'L'));
  return graph.finish();
}

function feeds(past: Tensor, length: number): Feeds {
  return { past, length: new Tensor('int64', BigInt64Array.of(BigInt(length)), [1]) };
}

function cutOf(outputs: Outputs, session: Session): Tensor {
  const { cut } = outputs;
  if (cut === undefined) throw engineFailed(session.provider, 'Cutting the cache', new Error('no output'));
  return cut;
}
