import type { TurnEnd, TurnEvent, TurnTaking } from '../../contract/index.ts';
import { type ActivityFrame, frameMs } from './frame.ts';
import { NoiseFloor } from './noise-floor.ts';
import { endOpen } from './open-words.ts';
import { OtherVoices } from './other-voices.ts';
import { SoundKind } from './sound-kind.ts';
import { type Thresholds, thresholds } from './thresholds.ts';

/** Sound kept before the first and after the last frame of speech, milliseconds: soft consonants are heard late. */
const marginMs = 300;

/** Speech frames that make a start: 128 ms, so that speaking over an answer is noticed within 200 ms. */
const startFrames = 4;
/** Frames after which a room is known well enough to tell who is meant: half a second. */
const unknownFrames = 16;
/** Frames without speech that make a start that did not come off forgotten. */
const lapseFrames = 5;
/** Frames without speech that are told as a pause. */
const pausedFrames = 4;
/** Frames of speech in a turn: 256 ms. "No" has as many, a cough has not. */
const turnFrames = 8;

/** How much longer is waited when the words so far ask for more, milliseconds. */
const openWordsMs = 1200;

/** What is told of a stream in which nobody speaks, once in so long, milliseconds. */
const patienceMs = 8000;

/** Frames of the turn at hand, by their number since the stream began. */
interface Turn {
  /** First frame that is kept. */
  readonly from: number;
  /** First and last frame of speech. */
  readonly first: number;
  last: number;
  /** First frame since the last pause. */
  resumed: number;
  /** Frames of speech. */
  voiced: number;
  /** Told as started. */
  isStarted: boolean;
  /** Told as paused. */
  isPaused: boolean;
  /** Speech frames less the others since the last pause, to notice that it goes on. */
  run: number;
  wordsAreOpen: boolean;
}

/**
 * Takes turns out of a stream of frames. Pure: it knows no clock and no sound, the frame's number is the time, so the same
 * frames give the same events however fast they come.
 *
 * A turn is speech by the model's probability and by its loudness over an adaptive noise floor, both with hysteresis; it begins with
 * four frames of it and ends with a pause, a longer one while the words known so far ask for more. What comes to nothing
 * is told as `nothing-heard` with a reason.
 */
export class TurnDetector {
  readonly #settings: TurnTaking;
  readonly #thresholds: Thresholds;
  readonly #floor = new NoiseFloor();
  readonly #others = new OtherVoices();
  readonly #kind = new SoundKind();
  /** Number of the frame at hand. */
  #at = -1;
  /** First frame that belongs to no turn yet. */
  #free = 0;
  /** First frame of the stretch in which nobody spoke. */
  #quietFrom = 0;
  #turn: Turn | null = null;

  constructor(settings: TurnTaking) {
    this.#settings = settings;
    this.#thresholds = thresholds(settings.sensitivity);
  }

  /** dB of full scale. */
  get noiseFloorDb(): number {
    return this.#floor.levelDb;
  }

  /** What the frame makes known, in the order it happened. */
  push(frame: ActivityFrame): TurnEvent[] {
    this.#at += 1;
    this.#floor.push(frame);
    this.#others.push(frame, this.#breathless());
    const isSpeech = this.#isSpeech(frame);
    if (isSpeech) return this.#onSpeech(frame);
    return this.#turn === null ? this.#onQuiet(frame) : this.#onPause(this.#turn, frame);
  }

  /** The words of the turn so far, whenever more of them are known. Counts until somebody speaks on. */
  words(text: string, language: string): void {
    if (this.#turn !== null) this.#turn.wordsAreOpen = endOpen(text, language);
  }

  /** The stream is at its end: what was begun is ended, and a stretch without a turn is told whatever its length. */
  finish(): TurnEvent[] {
    const turn = this.#turn;
    if (turn !== null) return this.#end(turn, 'sound-ended');
    return this.#at >= this.#quietFrom ? [this.#nothingHeard(this.#quietFrom, this.#kind.take())] : [];
  }

  /** Frames since the turn at hand began or was resumed. */
  #breathless(): number {
    return this.#turn?.isStarted === true ? this.#at - this.#turn.resumed : 0;
  }

  #isSpeech({ probability, loudnessDb }: ActivityFrame): boolean {
    const { begin, keep, beginOverFloorDb, keepOverFloorDb, quietestDb } = this.#thresholds;
    const isOn = this.#turn?.isStarted === true && !this.#turn.isPaused;
    const overFloor = this.#floor.levelDb + (isOn ? keepOverFloorDb : beginOverFloorDb);
    const needed = Math.max(quietestDb, overFloor, this.#others.neededDb);
    return probability >= (isOn ? keep : begin) && loudnessDb >= needed;
  }

  #onSpeech(frame: ActivityFrame): TurnEvent[] {
    const turn = this.#turn ?? this.#begin();
    this.#turn = turn;
    this.#kind.push(frame, this.#thresholds.quietestDb);
    turn.run += 1;
    // A frame or two in a pause are a click: only speech that goes on puts the end off.
    if (turn.isPaused && turn.run < startFrames) return [];
    turn.last = this.#at;
    turn.voiced += 1;
    const events: TurnEvent[] = [];
    if (!turn.isStarted && turn.voiced >= startFrames && this.#at >= unknownFrames) {
      turn.isStarted = true;
      const [fromMs, speechFromMs] = [startOf(turn.from), startOf(turn.first)];
      events.push({ type: 'speech-started', fromMs, speechFromMs, noticedAfterMs: this.#since(turn.first) });
    } else if (turn.isPaused) {
      turn.isPaused = false;
      turn.wordsAreOpen = false;
      const first = this.#at - startFrames + 1;
      turn.resumed = first;
      const noticedAfterMs = this.#since(first);
      events.push({ type: 'speech-resumed', speechFromMs: startOf(first), noticedAfterMs });
    }
    if (this.#since(turn.from) >= this.#settings.longestTurnMs) events.push(...this.#end(turn, 'too-long'));
    return events;
  }

  #begin(): Turn {
    const from = Math.max(this.#free, this.#at - Math.round(marginMs / frameMs));
    return {
      from,
      first: this.#at,
      last: this.#at,
      resumed: this.#at,
      voiced: 0,
      isStarted: false,
      isPaused: false,
      run: 0,
      wordsAreOpen: false,
    };
  }

  #onPause(turn: Turn, frame: ActivityFrame): TurnEvent[] {
    turn.run = Math.max(0, turn.run - 1);
    this.#kind.push(frame, this.#thresholds.quietestDb);
    const quiet = this.#at - turn.last;
    if (!turn.isStarted) return quiet < lapseFrames ? [] : this.#lapse(turn);
    const { pauseMs, longestTurnMs } = this.#settings;
    const waited = quiet * frameMs;
    if (turn.wordsAreOpen && waited >= pauseMs + openWordsMs) return this.#end(turn, 'open-words');
    if (!turn.wordsAreOpen && waited >= pauseMs) return this.#end(turn, 'pause');
    if (this.#since(turn.from) >= longestTurnMs) return this.#end(turn, 'too-long');
    if (turn.isPaused || quiet < pausedFrames) return [];
    turn.isPaused = true;
    turn.run = 0;
    return [
      { type: 'speech-paused', speechToMs: endOf(turn.last), noticedAfterMs: this.#since(turn.last + 1) },
    ];
  }

  /** Two or three frames are told as too short, one is the model's own noise. */
  #lapse(turn: Turn): TurnEvent[] {
    this.#turn = null;
    if (turn.voiced < 2) return this.#outOfPatience();
    return [this.#nothingHeard(turn.first, 'too-short')];
  }

  #onQuiet(frame: ActivityFrame): TurnEvent[] {
    this.#kind.push(frame, this.#thresholds.quietestDb);
    return this.#outOfPatience();
  }

  #outOfPatience(): TurnEvent[] {
    if (this.#since(this.#quietFrom) < patienceMs) return [];
    return [this.#nothingHeard(this.#quietFrom, this.#kind.take())];
  }

  /** Tells it, and begins a new stretch with the next frame. */
  #nothingHeard(from: number, why: 'silence' | 'noise' | 'music' | 'too-short'): TurnEvent {
    this.#kind.take();
    this.#quietFrom = this.#at + 1;
    return { type: 'nothing-heard', fromMs: startOf(from), toMs: endOf(this.#at), why };
  }

  #end(turn: Turn, why: TurnEnd): TurnEvent[] {
    this.#turn = null;
    if (turn.voiced < turnFrames) return [this.#nothingHeard(turn.first, 'too-short')];
    this.#kind.take();
    const to = Math.min(this.#at, turn.last + Math.round(marginMs / frameMs));
    this.#free = to + 1;
    this.#quietFrom = this.#at + 1;
    return [
      {
        type: 'turn-ended',
        fromMs: startOf(turn.from),
        toMs: endOf(to),
        speechFromMs: startOf(turn.first),
        speechToMs: endOf(turn.last),
        why,
        noticedAfterMs: this.#since(turn.last + 1),
      },
    ];
  }

  /** Milliseconds from the start of a frame to the end of the one at hand. */
  #since(frame: number): number {
    return (this.#at + 1 - frame) * frameMs;
  }
}

function startOf(frame: number): number {
  return frame * frameMs;
}

function endOf(frame: number): number {
  return (frame + 1) * frameMs;
}
