// `npm run demo`: the main job in a terminal. A spoken question is answered by both engines, then a typed
// follow-up that needs the first turn, then a spoken one, with the timings of each; last, five spoken turns on both
// engines, the third of which needs the first.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureBundle, ensurePackages, underOwnNode } from './setup.mjs';
import { root, run, StepError } from './steps.mjs';

const parlance = join(root, 'bin/parlance.mjs');
const samples = join(root, 'resources/samples');
const spoken = JSON.parse(readFileSync(join(samples, 'samples.json'), 'utf8'));
const engineTitles = {
  'speech-llm': 'speech LLM (sound straight into the model)',
  cascade: 'cascade (Whisper, then the same LLM)',
};

/** Runs one `parlance … --json` and hands each line's object to `on`. */
function command(args, environment, on) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [parlance, ...args, '--json'], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => on(JSON.parse(line)));
    child.on('error', fail);
    child.on('exit', (code) =>
      code === 0 ? done() : fail(new StepError(`parlance ${args[0]} ended with ${code}`)),
    );
  });
}

/** The stages that this turn went through, then what it came to. */
function timingLine({ provider, usage, timings }) {
  const stages = [
    ['features', timings.featuresMs],
    ['encoder', timings.encodeMs],
    ['Whisper’s decoder', timings.transcribeMs],
    ['adaptor', timings.adaptMs],
    ['prefill', timings.prefillMs],
  ].flatMap(([name, ms]) => (ms > 0 ? [`${name} ${Math.round(ms)} ms`] : []));
  const first = (timings.firstTokenMs / 1000).toFixed(2);
  const parts = [
    [...stages, `first word ${first} s`, `${timings.tokensPerSecond.toFixed(0)} tok/s`].join(', '),
    `${usage.promptTokens} prompt tokens`,
    ...(usage.audioTokens > 0 ? [`${usage.audioTokens} of sound`] : []),
    ...(usage.cachedTokens > 0 ? [`${usage.cachedTokens} kept from before`] : []),
  ];
  return `   ${provider}: ${parts.join(' · ')}\n`;
}

/** Asks, streams the answer to the terminal, and returns the `done` event. */
async function ask(args, environment) {
  let finished = null;
  process.stdout.write('   ');
  await command(['ask', ...args], environment, (event) => {
    if (event.type === 'token') process.stdout.write(event.text.replaceAll('\n', '\n   '));
    if (event.type === 'done') finished = event;
    if (event.type === 'error') throw new StepError(`${event.message} ${event.hint}`);
  });
  process.stdout.write(`\n${timingLine(finished)}`);
  return finished;
}

const conversation = [
  'question-capital-of-france.wav',
  'question-days-in-a-week.wav',
  'followup-language-spoken-there.wav',
  'question-what-is-gravity.wav',
  'followup-why-is-it-important.wav',
];

/** Five spoken turns in one process: what was asked, what was heard of it, the answer, and how long it took. */
async function converse(engine, bundle, environment) {
  const files = conversation.map((name) => join(samples, name));
  const listener = engine === 'cascade' ? 'whisper' : engine;
  const heard = [];
  const shared = ['--bundle', bundle.folder];
  await command(
    ['transcribe', ...files, '--engine', listener, '--language', 'en', ...shared],
    environment,
    (line) => {
      if (line.type === 'done') heard.push(line.text.trim());
      if (line.type === 'error') throw new StepError(`${line.message} ${line.hint}`);
    },
  );
  let turn = 0;
  await command(
    ['ask', ...files, '--engine', engine, '--max-tokens', '60', ...shared],
    environment,
    (line) => {
      if (line.type === 'error') throw new StepError(`${line.message} ${line.hint}`);
      if (line.type !== 'done') return;
      const { text, voice } = spoken.find(({ audio }) => audio === conversation[turn]);
      process.stdout.write(`   ${turn + 1}. asked (${voice}): “${text}”\n`);
      process.stdout.write(`      heard: “${heard[turn]}”\n`);
      process.stdout.write(`      answer: ${line.text.replaceAll('\n', '\n      ')}\n   ${timingLine(line)}`);
      turn += 1;
    },
  );
}

function heading(text) {
  process.stdout.write(`\n${text}\n`);
}

run(async () => {
  await underOwnNode();
  await ensurePackages();
  await ensureBundle();
  let bundle = null;
  await command(['models', 'list'], {}, (line) => {
    if (line.id === 'parlance-mini') bundle = line;
  });
  process.stdout.write('Each question starts the engine anew; the first word includes loading the models.\n');
  const home = mkdtempSync(join(tmpdir(), 'parlance-demo-'));
  const environment = { PARLANCE_HOME: home };
  const better = bundle.preferredEngine;
  const other = better === 'cascade' ? 'speech-llm' : 'cascade';
  const options = ['--bundle', bundle.folder, '--max-tokens', '80'];
  const question = spoken.find(({ audio }) => audio === 'question-what-is-gravity.wav');
  const followUp = spoken.find(({ audio }) => audio === 'followup-why-is-it-important.wav');
  const recorded = spoken.find(({ audio }) => audio.startsWith('recorded-inaugural'));
  try {
    heading(
      `1. Spoken (${question.voice}): “${question.text}”, answered by the ${engineTitles[better]}, which measured better`,
    );
    const first = await ask([join(samples, question.audio), '--engine', better, ...options], environment);
    heading(`2. The same sound, answered by the ${engineTitles[other]}`);
    await ask([join(samples, question.audio), '--engine', other, ...options], environment);
    heading('3. Typed, and only the first turn says what “it” is: “Who discovered it?”');
    const goingOn = ['--conversation', first.conversation, '--engine', better, ...options];
    await ask([...goingOn, '--text', 'Who discovered it?'], environment);
    heading(`4. Spoken second turn (${followUp.voice}): “${followUp.text}”`);
    await ask([join(samples, followUp.audio), ...goingOn], environment);
    heading(`5. Recorded speech (${recorded.voice}, 1961): “${recorded.text}”`);
    await ask([join(samples, recorded.audio), '--engine', better, ...options], environment);
    for (const engine of [better, other]) {
      heading(
        `Five spoken turns, ${engineTitles[engine]}; the third one’s “there” is the first one’s France`,
      );
      // A home of its own: nothing of these sounds was heard before.
      const fresh = mkdtempSync(join(home, 'fresh-'));
      await converse(engine, bundle, { PARLANCE_HOME: fresh });
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
