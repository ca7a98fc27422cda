import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../contract/index.ts';
import { frameSamples, loudnessOf, tonalityOf } from './frame.ts';
import { Silero, type SileroStream } from './silero.ts';
import type { ActivityCall, ActivityReply, ActivityWorkerData } from './worker-messages.ts';

async function hear(stream: SileroStream, samples: Float32Array): Promise<Float32Array<ArrayBuffer>> {
  const frames = new Float32Array((samples.length / frameSamples) * 3);
  for (let at = 0, next = 0; at < samples.length; at += frameSamples, next += 3) {
    const frame = samples.subarray(at, at + frameSamples);
    frames.set([await stream.probability(frame), loudnessOf(frame), tonalityOf(frame)], next);
  }
  return frames;
}

/**
 * Entry of the thread that notices speech: the model runs here, so that the thread that feeds the window never waits for
 * it. Calls come from `voice-activity.ts` alone and are served one after another, each stream in its own order. What is thrown while serving ends the
 * thread: the other side tells every stream.
 */
async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('Voice activity runs in a worker thread.');
  const reply = (message: ActivityReply, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);
  let model: Silero;
  try {
    model = await Silero.open((workerData as ActivityWorkerData).model);
  } catch (error) {
    reply({ type: 'refused', failure: toFailure(error) });
    port.close();
    return;
  }
  const streams = new Map<number, SileroStream>();
  const answer = async (call: ActivityCall) => {
    if (call.type === 'open') streams.set(call.stream, model.stream());
    else if (call.type === 'close') streams.delete(call.stream);
    else if (call.type === 'end') {
      await model.close();
      port.close();
    } else {
      const stream = streams.get(call.stream);
      if (stream === undefined) return;
      const frames = await hear(stream, call.samples);
      reply({ type: 'heard', stream: call.stream, frames }, [frames.buffer]);
    }
  };
  let last = Promise.resolve();
  port.on('message', (call: ActivityCall) => {
    last = last.then(() => answer(call));
  });
  reply({ type: 'ready' });
}

await serve();
