import { describe, expect, test } from 'vitest';
import { type TurnEvent, turnEventSchema, turnTakingSchema } from '../../../../src-main/contract/index.ts';
import type { ActivityFrame } from '../../../../src-main/voice/activity/frame.ts';
import { TurnDetector } from '../../../../src-main/voice/activity/turn-detector.ts';

const frameMs = 32;
const frames = (ms: number) => Math.round(ms / frameMs);

const speech: ActivityFrame = { probability: 0.95, loudnessDb: -25, tonality: 0.8 };
const quiet: ActivityFrame = { probability: 0.02, loudnessDb: -70, tonality: 0.2 };
const fan: ActivityFrame = { probability: 0.05, loudnessDb: -35, tonality: 0.2 };

/** A detector, what it told, and how to feed it so many milliseconds of one kind. */
function listening(settings: Parameters<typeof turnTakingSchema.parse>[0] = {}) {
  const detector = new TurnDetector(turnTakingSchema.parse(settings));
  const events: TurnEvent[] = [];
  const feed = (kind: ActivityFrame | ((place: number) => ActivityFrame), ms: number) => {
    for (let place = 0; place < frames(ms); place++)
      events.push(...detector.push(typeof kind === 'function' ? kind(place) : kind));
  };
  const types = () => events.map(({ type }) => type);
  const finish = () => events.push(...detector.finish());
  return { detector, events, feed, types, finish };
}

const only = <Type extends TurnEvent['type']>(events: readonly TurnEvent[], type: Type) =>
  events.filter((event): event is Extract<TurnEvent, { type: Type }> => event.type === type);

describe('a turn', () => {
  test('begins, pauses and ends, with its places, and each is told with how late it was noticed', () => {
    const { events, feed, types } = listening();
    feed(quiet, 1600);
    feed(speech, 1600);
    feed(quiet, 1600);
    expect(types()).toEqual(['speech-started', 'speech-paused', 'turn-ended']);
    expect(only(events, 'speech-started')[0]).toMatchObject({ speechFromMs: 1600, noticedAfterMs: 128 });
    expect(only(events, 'speech-paused')[0]).toMatchObject({ speechToMs: 3200, noticedAfterMs: 128 });
    expect(only(events, 'turn-ended')[0]).toEqual({
      type: 'turn-ended',
      fromMs: 1600 - 288,
      toMs: 3200 + 288,
      speechFromMs: 1600,
      speechToMs: 3200,
      why: 'pause',
      noticedAfterMs: 704,
    });
    for (const event of events) expect(turnEventSchema.parse(event)).toEqual(event);
  });

  test('is noticed within 200 ms of its first word, so that an answer can be spoken over', () => {
    const { events, feed } = listening();
    feed(quiet, 3200);
    feed(speech, 320);
    expect(only(events, 'speech-started')[0]?.noticedAfterMs).toBeLessThanOrEqual(200);
  });

  test.each([300, 700, 1500])('ends after the pause that is set: %i ms', (pauseMs) => {
    const { events, feed } = listening({ pauseMs });
    feed(quiet, 1600);
    feed(speech, 1600);
    feed(quiet, 3200);
    const [end] = only(events, 'turn-ended');
    expect(end?.noticedAfterMs).toBeGreaterThanOrEqual(pauseMs);
    expect(end?.noticedAfterMs).toBeLessThan(pauseMs + frameMs);
  });

  test('goes on over a shorter pause, which is told', () => {
    const { events, feed, types } = listening();
    feed(quiet, 1600);
    feed(speech, 960);
    feed(quiet, 480);
    feed(speech, 960);
    feed(quiet, 960);
    expect(types()).toEqual([
      'speech-started',
      'speech-paused',
      'speech-resumed',
      'speech-paused',
      'turn-ended',
    ]);
    expect(only(events, 'turn-ended')[0]).toMatchObject({ speechFromMs: 1600, speechToMs: 4000 });
  });

  test('a click in the pause does not put its end off', () => {
    const { events, feed } = listening();
    feed(quiet, 1600);
    feed(speech, 960);
    feed(quiet, 480);
    feed(speech, 64);
    feed(quiet, 960);
    expect(only(events, 'turn-ended')[0]).toMatchObject({ speechToMs: 2560, noticedAfterMs: 704 });
  });

  test('is kept alive by a lower probability than begins it', () => {
    const hesitant = { ...speech, probability: 0.4 };
    const before = listening();
    before.feed(quiet, 1600);
    before.feed(hesitant, 1600);
    expect(before.types()).toEqual([]);
    const within = listening();
    within.feed(quiet, 1600);
    within.feed(speech, 640);
    within.feed(hesitant, 1600);
    expect(within.types()).toEqual(['speech-started']);
  });

  test('two turns share no sound: the first ends before the second is kept from', () => {
    const { events, feed } = listening({ pauseMs: 300 });
    feed(quiet, 1600);
    for (let turn = 0; turn < 2; turn++) {
      feed(speech, 640);
      feed(quiet, 352);
    }
    const [first, second] = only(events, 'turn-ended');
    expect(second?.fromMs).toBeGreaterThanOrEqual(first?.toMs ?? Number.NaN);
  });

  test('is ended when it is too long, and the next one begins where it ended', () => {
    const { events, feed } = listening({ longestTurnMs: 3200 });
    feed(quiet, 1600);
    feed(speech, 6400);
    const [first, second] = only(events, 'turn-ended');
    expect(first).toMatchObject({ why: 'too-long' });
    expect((first?.toMs ?? 0) - (first?.fromMs ?? 0)).toBe(3200);
    expect(second?.fromMs).toBe(first?.toMs);
  });

  test('is ended by the end of the sound', () => {
    const { events, feed, finish } = listening();
    feed(quiet, 1600);
    feed(speech, 960);
    finish();
    expect(only(events, 'turn-ended')[0]).toMatchObject({ why: 'sound-ended', toMs: 2560, speechToMs: 2560 });
  });
});

describe('words that ask for more', () => {
  const paused = (text: string) => {
    const made = listening();
    made.feed(quiet, 1600);
    made.feed(speech, 960);
    made.detector.words(text, 'en');
    made.feed(quiet, 1280);
    return made;
  };

  test('make the pause longer, and whole ones do not', () => {
    expect(only(paused('I would like some bread and').events, 'turn-ended')).toEqual([]);
    expect(only(paused('I would like some bread').events, 'turn-ended')).toHaveLength(1);
  });

  test('end the turn all the same when nothing follows', () => {
    const { events, feed } = paused('because');
    feed(quiet, 1280);
    const [end] = only(events, 'turn-ended');
    expect(end?.why).toBe('open-words');
    expect(end?.noticedAfterMs).toBeGreaterThanOrEqual(1900);
  });

  test('are forgotten when somebody speaks on', () => {
    const { events, feed } = paused('and');
    feed(speech, 640);
    feed(quiet, 960);
    expect(only(events, 'turn-ended')[0]).toMatchObject({ why: 'pause', noticedAfterMs: 704 });
  });
});

describe('no turn', () => {
  const music = (place: number): ActivityFrame => ({
    probability: 0.1,
    loudnessDb: -30 - 6 * (place % 4),
    tonality: 0.85,
  });

  test.each([
    ['silence', quiet],
    ['noise', fan],
    ['noise', { ...fan, tonality: 0.95 }],
    ['music', music],
  ] as const)('%s is told as what it was, every eight seconds and at the end', (why, kind) => {
    const { events, feed, finish } = listening();
    feed(kind, 9600);
    finish();
    expect(events).toEqual([
      { type: 'nothing-heard', fromMs: 0, toMs: 8000, why },
      { type: 'nothing-heard', fromMs: 8000, toMs: 9600, why },
    ]);
  });

  test('a cough that the model takes for speech is too short, and a start that was told is withdrawn', () => {
    const brief = listening();
    brief.feed(quiet, 1600);
    brief.feed(speech, 96);
    brief.feed(quiet, 960);
    expect(brief.types()).toEqual(['nothing-heard']);
    const longer = listening();
    longer.feed(quiet, 1600);
    longer.feed(speech, 192);
    longer.feed(quiet, 960);
    expect(longer.types()).toEqual(['speech-started', 'speech-paused', 'nothing-heard']);
    expect(longer.events.at(-1)).toMatchObject({ why: 'too-short' });
  });

  test('what is as loud as the background is none of it, however sure the model is', () => {
    const { feed, types } = listening();
    feed(fan, 3200);
    feed({ ...fan, probability: 0.9 }, 1600);
    expect(types()).toEqual([]);
  });

  test('voices in the background are told from the one that is meant by loudness', () => {
    const television = (place: number): ActivityFrame => ({
      probability: 0.9,
      loudnessDb: -42 + 2 * Math.sin(place),
      tonality: 0.5,
    });
    const { events, feed } = listening();
    feed((place) => ({ ...television(place), probability: 0.6 }), 3200);
    feed(television, 3200);
    const before = only(events, 'turn-ended').length;
    feed({ ...speech, loudnessDb: -22 }, 1600);
    feed(television, 1600);
    expect(only(events, 'turn-ended').slice(before)).toMatchObject([
      { speechFromMs: 6400, speechToMs: 8000 },
    ]);
  });

  test('an empty stream tells nothing', () => {
    const { events, finish } = listening();
    finish();
    expect(events).toEqual([]);
  });
});

describe('sensitivity', () => {
  const whisper: ActivityFrame = { probability: 0.35, loudnessDb: -62, tonality: 0.2 };
  const whispered = (sensitivity: number) => {
    const made = listening({ sensitivity });
    made.feed(quiet, 3200);
    made.feed(whisper, 1600);
    made.feed(quiet, 1600);
    return only(made.events, 'turn-ended');
  };

  test('at its highest hears a whisper, by default and at its lowest not', () => {
    expect(whispered(1)).toHaveLength(1);
    expect(whispered(0.5)).toEqual([]);
    expect(whispered(0)).toEqual([]);
  });

  test('the settings have bounds', () => {
    expect(turnTakingSchema.safeParse({ pauseMs: 299 }).success).toBe(false);
    expect(turnTakingSchema.safeParse({ pauseMs: 1501 }).success).toBe(false);
    expect(turnTakingSchema.safeParse({ sensitivity: 1.1 }).success).toBe(false);
  });
});

test('the same frames give the same events', () => {
  const told = () => {
    const { events, feed, finish } = listening();
    feed(fan, 1600);
    feed(speech, 960);
    feed(fan, 640);
    finish();
    return events;
  };
  expect(told()).toEqual(told());
});
