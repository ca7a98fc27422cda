import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../contract/errors.ts';
import type { SoundPiece } from '../../contract/speech.ts';
import { cancelled, Speaker } from './speaker.ts';
import type { SpeakingOrder, SpeakingReply } from './speaking-thread.ts';

/**
 * The thread of spoken replies. eSpeak NG and onnxruntime hold up the thread they run in for up to a second at a time, and the LLM must go
 * on writing meanwhile.
 */
if (parentPort === null) throw new Error('runs as a worker alone');
const port = parentPort;
const { threads } = workerData as { threads: number };
const speaker = new Speaker(threads);
const send = (reply: SpeakingReply, sound?: SoundPiece['samples']): void =>
  port.postMessage(reply, sound === undefined ? [] : [sound.buffer]);

let last: Promise<void> = Promise.resolve();

async function speak({ id, request, stopped }: Extract<SpeakingOrder, { type: 'speak' }>): Promise<void> {
  const isStopped = (): boolean => Atomics.load(stopped, 0) === 1;
  try {
    if (isStopped()) throw cancelled();
    const sound = (piece: SoundPiece): void => send({ type: 'sound', id, piece }, piece.samples);
    send({ type: 'spoken', id, spoken: await speaker.speak(request, sound, isStopped) });
  } catch (error) {
    send({ type: 'failed', id, failure: toFailure(error) });
  }
}

port.on('message', (order: SpeakingOrder) => {
  if (order.type === 'close') last = last.then(() => port.close());
  else last = last.then(() => speak(order));
});
