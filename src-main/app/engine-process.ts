import { z } from 'zod';
import type { EngineReply, EngineRequest } from '../contract/index.ts';
import { engineRequestSchema, toFailure } from '../contract/index.ts';
import { createEngine } from '../engine/engine.ts';
import { SpeakingThread } from '../engine/speaking/speaking-thread.ts';
import { entryUrl } from './entries.ts';
import { parentPort } from './parent-port.ts';

/**
 * The engine process: `createEngine` behind messages. It is forked by Node or started as a utility process, with the
 * cache folder as its one argument, and ends when the process that started it is gone.
 */
const cacheFolder = process.argv[2];
if (cacheFolder === undefined) throw new Error('usage: engine-process CACHE_FOLDER');

const port = parentPort();
const send = (reply: EngineReply): void => port.send(reply);
const engine = createEngine({ cacheFolder, log: (event) => send({ type: 'log', event: { ...event } }) });
const speaking = new SpeakingThread(entryUrl('speaking-worker'));
const running = new Map<number, AbortController>();

async function answer({ id, request }: Extract<EngineRequest, { type: 'answer' }>, signal: AbortSignal) {
  const result = await engine.answer(
    request,
    {
      token: (text) => send({ type: 'token', id, text }),
      phase: (phase) => send({ type: 'phase', id, phase }),
    },
    signal,
  );
  send({ type: 'done', id, result });
}

async function transcribe(
  { id, request }: Extract<EngineRequest, { type: 'transcribe' }>,
  signal: AbortSignal,
) {
  const transcript = await engine.transcribe(
    request,
    {
      segment: (segment) => send({ type: 'segment', id, segment }),
      phase: (phase) => send({ type: 'phase', id, phase }),
    },
    signal,
  );
  send({ type: 'transcript', id, transcript });
}

async function score({ id, request }: Extract<EngineRequest, { type: 'score' }>, signal: AbortSignal) {
  send({ type: 'scored', id, score: await engine.score(request, signal) });
}

async function speak({ id, request }: Extract<EngineRequest, { type: 'speak' }>, signal: AbortSignal) {
  const spoken = await speaking.speak(request, (piece) => send({ type: 'sound', id, piece }), signal);
  send({ type: 'spoken', id, spoken });
}

async function load({ id, bundle, device, engine: name }: Extract<EngineRequest, { type: 'load' }>) {
  // The supervisor resolves `auto` before it sends; what comes without a name runs where everything runs.
  const provider = device === 'auto' ? 'cpu' : device;
  await engine.load(bundle, provider, name);
  send({ type: 'ok', id, provider });
}

/** Runs one request to its end; its failure is its reply. */
async function run(id: number, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    await task(controller.signal);
  } catch (error) {
    send({ type: 'error', id, failure: toFailure(error) });
  } finally {
    running.delete(id);
  }
}

async function shutdown(id: number): Promise<void> {
  for (const controller of running.values()) controller.abort();
  await run(id, async () => {
    await engine.close();
    await speaking.close();
    send({ type: 'ok', id, provider: null });
  });
  port.close();
}

function handle(request: EngineRequest): Promise<void> {
  switch (request.type) {
    case 'answer':
      return run(request.id, (signal) => answer(request, signal));
    case 'transcribe':
      return run(request.id, (signal) => transcribe(request, signal));
    case 'score':
      return run(request.id, (signal) => score(request, signal));
    case 'load':
      return run(request.id, () => load(request));
    case 'speak':
      return run(request.id, (signal) => speak(request, signal));
    case 'cancel':
      running.get(request.id)?.abort();
      return Promise.resolve();
    case 'shutdown':
      return shutdown(request.id);
    case 'ping':
      send({ type: 'pong', id: request.id, memoryBytes: process.memoryUsage.rss() });
      return Promise.resolve();
  }
}

port.onMessage((message) => {
  const request = engineRequestSchema.safeParse(message);
  // Only the supervisor writes here, and it checks what it sends: this is a fault, and its end is the clearest reply.
  if (!request.success) throw new Error(`a request is not valid: ${z.prettifyError(request.error)}`);
  void handle(request.data);
});
send({ type: 'ready', pid: process.pid });
