import type {
  AppEvent,
  Conversation,
  EngineName,
  RequestOutput,
  Turn,
} from '../../src-main/contract/index.ts';
import { maxCallBytes, ParlanceError } from '../../src-main/contract/index.ts';
import { client } from '../services/client.ts';
import { announcer } from './announcer.svelte.ts';
import { exchangesOf } from './exchanges.ts';
import { notices } from './notices.svelte.ts';
import { conversationAddress, route } from './route.svelte.ts';
import { StreamingTexts } from './streaming-texts.ts';

type Phase = Extract<AppEvent, { event: 'turn.phase' }>['phase'];
/** Times are those of `performance.now()`, milliseconds. */
interface AnswerProgress {
  askedAt: number;
  firstAt: number | null;
  pieces: number;
  lastAt: number;
}
type Submitted = RequestOutput<'turns.askText'>;

const rememberedEndings = 32;
/** The store is behind an answer by about this much. */
const rereadMs = 300;

/** The conversation that is open, and what is asked and answered in it. */
class Chat {
  conversation = $state.raw<Conversation | null>(null);
  turns = $state<Turn[]>([]);
  phases = $state<Record<string, Phase>>({});
  /** The id of a conversation that was asked for and is not there. */
  missing = $state<string | null>(null);
  /** Question id → answer id, where a person looked at another version. */
  #chosen = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** Of answers in every conversation: another one may be opened while they are written. */
  #texts = new StreamingTexts();
  #rereading: ReturnType<typeof setTimeout> | undefined;
  /** Answers that ended a moment ago: the reply that tells of their beginning may come after the news of their end. */
  #ended = new Map<string, Turn>();
  /** What this window measured of answers it saw being written, by turn id. */
  progress = $state<Record<string, AnswerProgress>>({});
  #drafts = $state<Record<string, string>>({});

  exchanges = $derived(exchangesOf(this.turns, this.#chosen));
  streaming = $derived(this.turns.findLast(({ status }) => status === 'streaming'));

  get draft(): string {
    return this.#drafts[this.conversation?.id ?? ''] ?? '';
  }

  set draft(text: string) {
    this.#drafts[this.conversation?.id ?? ''] = text;
  }

  /** Shows a conversation, or an empty new one. */
  async open(id: string | null) {
    if (id !== null && id === this.conversation?.id) return;
    this.missing = null;
    this.#chosen = new Map();
    this.conversation = null;
    this.turns = [];
    if (id !== null) await this.reload(id);
  }

  async reload(id = this.conversation?.id) {
    if (id === undefined) return;
    try {
      const { conversation, turns } = await client.call('conversations.open', { id });
      if (route.conversationId !== id) return;
      this.conversation = conversation;
      this.turns = turns.map((turn) => this.#withNewestText(turn));
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'conversation-missing')
        this.missing = id;
      else notices.fail(thrown);
    }
  }

  async askText(text: string) {
    const draftOf = this.conversation?.id ?? '';
    this.#drafts[draftOf] = '';
    const asked = await this.#submit(() =>
      client.call('turns.askText', { conversationId: this.conversation?.id ?? null, text }),
    );
    if (!asked) this.#drafts[draftOf] ||= text;
  }

  async askFile(file: File) {
    if (file.size > maxCallBytes) {
      const megabytes = (count: number) => Math.round(count / 1e6);
      notices.fail(
        new ParlanceError(
          'audio-too-long',
          `${file.name} has ${megabytes(file.size)} MB; at most ${megabytes(maxCallBytes)} MB can be asked at once.`,
          'Cut out the part that holds the question.',
        ),
      );
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    await this.#submit(() =>
      client.call('turns.askFile', { conversationId: this.conversation?.id ?? null, name: file.name, bytes }),
    );
  }

  async retry(answer: Turn, engine?: EngineName) {
    await this.#submit(() =>
      client.call('turns.retry', { answerId: answer.id, ...(engine === undefined ? {} : { engine }) }),
    );
  }

  async askLastAgain() {
    const last = this.exchanges.at(-1)?.answer;
    if (last && last.status !== 'streaming') await this.retry(last);
  }

  async stop() {
    if (!this.streaming) return;
    try {
      await client.call('turns.stop', { answerId: this.streaming.id });
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  /** Asks Whisper what it hears in a spoken turn, for reading. */
  async hear(turn: Turn) {
    try {
      this.#upsert(await client.call('turns.heardAs', { turnId: turn.id }));
    } catch (thrown) {
      notices.fail(thrown);
      throw thrown;
    }
  }

  choose(questionId: string, answerId: string) {
    this.#chosen = new Map(this.#chosen).set(questionId, answerId);
  }

  /** Shows what was just asked, in its conversation, which may be a new one. */
  adopt({ conversation, question, answer }: Submitted) {
    if (this.conversation?.id !== conversation.id) {
      this.turns = [];
      this.#chosen = new Map();
    }
    this.conversation = conversation;
    this.#upsert(question);
    this.#upsert(answer);
    this.choose(question.id, answer.id);
    // Questions follow the newest turn: whatever older version was being looked at, this one has to be seen.
    const parent = this.turns.find(({ id }) => id === question.parentId);
    if (parent?.parentId) this.choose(parent.parentId, parent.id);
    route.open(conversationAddress(conversation.id));
  }

  receive(event: AppEvent) {
    switch (event.event) {
      case 'turn.created':
      case 'turn.updated':
        if (event.turn.status !== 'streaming') {
          this.#texts.end(event.turn.id);
          this.#remember(event.turn);
          delete this.progress[event.turn.id];
          announcer.finish(event.turn);
        }
        if (event.event === 'turn.created' && event.turn.status === 'streaming') {
          const askedAt = performance.now();
          this.progress[event.turn.id] = { askedAt, firstAt: null, pieces: 0, lastAt: askedAt };
        }
        if (event.turn.conversationId === this.conversation?.id) this.#upsert(event.turn);
        break;
      case 'turn.phase':
        this.phases[event.turnId] = event.phase;
        break;
      case 'turn.token':
        this.#append(event.turnId, event.length, event.text);
        break;
      case 'conversation.updated':
        if (event.conversation.id === this.conversation?.id) this.conversation = event.conversation;
        break;
    }
  }

  async #submit(ask: () => Promise<Submitted>): Promise<boolean> {
    try {
      this.adopt(await ask());
      return true;
    } catch (thrown) {
      notices.fail(thrown);
      return false;
    }
  }

  #append(turnId: string, offset: number, piece: string) {
    const turn = this.turns.find(({ id }) => id === turnId);
    const whole = this.#texts.add(turnId, offset, piece, turn?.text ?? '');
    this.#measure(turnId);
    if (whole === null && turn) this.#rereadSoon();
    if (whole === null || turn?.status !== 'streaming') return;
    turn.text = whole;
    announcer.hear(turn);
  }

  #rereadSoon() {
    this.#rereading ??= setTimeout(() => {
      this.#rereading = undefined;
      void this.reload();
    }, rereadMs);
  }

  #measure(turnId: string) {
    const progress = this.progress[turnId];
    if (!progress) return;
    progress.lastAt = performance.now();
    progress.firstAt ??= progress.lastAt;
    progress.pieces += 1;
  }

  #remember(ended: Turn) {
    this.#ended.set(ended.id, ended);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > rememberedEndings && oldest !== undefined) this.#ended.delete(oldest);
  }

  #withNewestText(turn: Turn): Turn {
    if (turn.status !== 'streaming') return turn;
    const ended = this.#ended.get(turn.id);
    if (ended) return ended;
    const text = this.#texts.merge(turn.id, turn.text);
    if (this.#texts.isMissingPart(turn.id)) this.#rereadSoon();
    return { ...turn, text };
  }

  #upsert(turn: Turn) {
    const index = this.turns.findIndex(({ id }) => id === turn.id);
    const known = this.turns[index];
    const newest = this.#withNewestText(turn);
    if (known) this.turns[index] = newest;
    else this.turns.push(newest);
  }
}

export const chat = new Chat();
