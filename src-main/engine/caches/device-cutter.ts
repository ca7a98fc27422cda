import { Tensor } from 'onnxruntime-node';
import { Graph } from '../../../native-models/graph/graph.ts';
import type { Provider } from '../../contract/conversation.ts';
import { engineFailed } from '../failures.ts';
import { withMadeGraph } from '../onnxruntime/made-graph.ts';
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
  return withMadeGraph(cutGraph(shape), async (path) => {
    const needs = { provider, threads, spin: false };
    const here = await Session.open('the cache cutter', path, needs);
    const there = residesOnDevice(provider)
      ? await Session.open('the cache cutter', path, { ...needs, resident: ['cut'] })
      : here;
    return cutterOf(here, there);
  });
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

function cutGraph({ kvHeads, headSize }: CacheShape): Graph {
  const graph = new Graph('cut');
  const past = graph.input('past', 'float32', [1, kvHeads, 'P', headSize]);
  const length = graph.input('length', 'int64', [1]);
  graph.output('cut', graph.sliceAt(past, 2, graph.int64s([0]), length, 'L'));
  return graph;
}

function feeds(past: Tensor, length: number): Feeds {
  return { past, length: new Tensor('int64', BigInt64Array.of(BigInt(length)), [1]) };
}

function cutOf(outputs: Outputs, session: Session): Tensor {
  const { cut } = outputs;
  if (cut === undefined) throw engineFailed(session.provider, 'Cutting the cache', new Error('no output'));
  return cut;
}
