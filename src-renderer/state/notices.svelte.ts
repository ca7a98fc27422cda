import { ParlanceError } from '../../src-main/contract/index.ts';
import { ConnectionLost } from '../services/client.ts';

export interface NoticeAction {
  label: string;
  run(): void;
}

/** `banner` stands over the page until it is dismissed; `toast` goes by itself after `seconds`. */
export interface Notice {
  id: number;
  kind: 'banner' | 'toast';
  tone: 'info' | 'ok' | 'warn' | 'danger';
  title: string;
  text: string;
  actions: NoticeAction[];
}

class Notices {
  list = $state<Notice[]>([]);
  #nextId = 0;

  add(notice: Omit<Notice, 'id'>): number {
    const id = this.#nextId++;
    // Saying the same thing twice helps nobody: the newer one, with its fresh actions, takes the place.
    this.list = [...this.list.filter(({ title }) => title !== notice.title), { ...notice, id }];
    return id;
  }

  remove(id: number) {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  /** Shows an expected failure in its own words. A lost connection has its own banner and is not repeated here. */
  fail(thrown: unknown, actions: NoticeAction[] = []) {
    if (thrown instanceof ConnectionLost) return;
    const expected = thrown instanceof ParlanceError;
    this.add({
      kind: 'banner',
      tone: expected && thrown.code !== 'internal' ? 'warn' : 'danger',
      title: thrown instanceof Error ? thrown.message : String(thrown),
      text: expected ? thrown.hint : 'Reload the window; what was saved stays.',
      actions,
    });
  }
}

export const notices = new Notices();
