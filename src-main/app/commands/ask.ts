import type { Command } from 'commander';
import { z } from 'zod';
import {
  devicePreferenceSchema,
  engineNameSchema,
  idSchema,
  ParlanceError,
  type Turn,
} from '../../contract/index.ts';
import type { AskOptions, Submitted } from '../../conversation/ports.ts';
import { answeringBundle, chooseBundle, defaultBundleId } from '../bundle-choice.ts';
import { type Composition, compose } from '../composition.ts';
import { createMachine } from '../machine.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';
import type { Output } from './output.ts';
import { readSoundFile } from './sound-file.ts';

const optionsSchema = z.object({
  text: z.string().optional(),
  conversation: idSchema.optional(),
  bundle: z.string(),
  engine: engineNameSchema,
  device: devicePreferenceSchema,
  maxTokens: numberOption.pipe(z.number().int().min(1).max(8192)).optional(),
  temperature: numberOption.pipe(z.number().min(0).max(2)).optional(),
  seed: numberOption.pipe(z.number().int().nonnegative()).optional(),
});
type Options = z.infer<typeof optionsSchema>;

const explanation = `
Every FILE is a spoken question, --text a typed one. All are asked in one conversation, the files in their order and
the text last, and each is answered before the next is asked.`;

/** `parlance ask`: spoken and typed questions, stored and answered as the app does it. */
export function addAsk(program: Command): void {
  const command = program
    .command('ask')
    .description('Answers questions, spoken in sound files or typed.')
    .argument('[FILE...]', 'WAV files of any common kind')
    .option('--text <T>', 'a typed question')
    .option('--conversation <ID>', 'go on with this conversation')
    .option('--bundle <ID|DIR>', 'the bundle that answers', defaultBundleId)
    .option(
      '--engine <NAME>',
      'speech-llm (sound straight into the LLM) or cascade (Whisper first)',
      'speech-llm',
    )
    .option('--device <NAME>', 'auto, cuda, dml, coreml, webgpu or cpu', 'auto')
    .option('--max-tokens <N>', 'the longest answer, in tokens')
    .option('--temperature <X>', '0 is the likeliest answer')
    .option('--seed <N>', 'for temperatures above 0')
    .addHelpText('after', explanation);
  runs(command, optionsSchema, async (invocation, options, files) => {
    if (files.length === 0 && options.text === undefined) {
      command.error('error: nothing is asked: name a FILE, or give a --text', { exitCode: 2 });
    }
    await ask(invocation, options, files);
  });
}

async function ask(invocation: Invocation, options: Options, files: string[]): Promise<void> {
  const { home, log } = invocation;
  const sounds = await Promise.all(files.map(readSoundFile));
  const bundle = answeringBundle(chooseBundle(home.models, options.bundle));
  const composition = await compose(createMachine(home, log), async () => bundle);
  const { conversations } = composition;
  const asked = askOptions(options);
  try {
    let conversationId = options.conversation ?? null;
    for (const { samples } of sounds) {
      const submit = () => conversations.askAudio({ ...asked, conversationId, samples });
      conversationId = await answer(invocation, composition, submit);
    }
    const { text } = options;
    if (text !== undefined) {
      await answer(invocation, composition, () => conversations.askText({ ...asked, conversationId, text }));
    }
  } finally {
    await composition.close();
  }
}

/** What is not named is left to the bundle. */
function askOptions({ engine, device, maxTokens, temperature, seed }: Options): AskOptions {
  const sampling = {
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
  };
  return { engine, device, sampling };
}

/** Asks, streams the answer, and gives the conversation's id. Throws what made the answer fail, or `cancelled`. */
async function answer(
  { output, signal }: Invocation,
  { events, conversations }: Composition,
  submit: () => Promise<Submitted>,
): Promise<string> {
  let said = false;
  const unsubscribe = events.on((event) => {
    if (event.event !== 'turn.token') return;
    said = true;
    output.event({ type: 'token', text: event.text });
    output.text(event.text);
  });
  try {
    const submitted = await submit();
    const stop = () => void conversations.stop(submitted.answer.id);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const turn = await conversations.finished(submitted.answer.id);
    signal.removeEventListener('abort', stop);
    if (said) output.text('\n');
    requireAnswered(turn);
    tellDone(output, turn);
    return turn.conversationId;
  } finally {
    unsubscribe();
  }
}

function tellDone(output: Output, turn: Turn): void {
  const { text, conversationId: conversation, id, engine, provider, usage, timings } = turn;
  output.event({ type: 'done', text, conversation, turn: id, engine, provider, usage, timings });
  output.note(summary(turn));
}

function requireAnswered(turn: Turn): void {
  if (turn.status === 'complete') return;
  if (turn.failure !== null) throw ParlanceError.from(turn.failure);
  throw new ParlanceError(
    'cancelled',
    `The answer was stopped; what it had is kept in conversation ${turn.conversationId}.`,
    `\`parlance history show ${turn.conversationId}\` shows it.`,
  );
}

function summary({ conversationId, engine, provider, timings, usage }: Turn): string {
  const parts = [`${engine} on ${provider}`];
  if (timings !== null) {
    parts.push(`first word ${(timings.firstTokenMs / 1000).toFixed(2)} s`);
    parts.push(`${timings.tokensPerSecond.toFixed(1)} tokens/s`);
  }
  if (usage !== null)
    parts.push(`${usage.promptTokens} prompt tokens, ${usage.cachedTokens} kept from before`);
  return [...parts, `conversation ${conversationId}`].join(' · ');
}
