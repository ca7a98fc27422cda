import { tick } from 'svelte';
import { app } from './app.svelte.ts';
import { conversationAddress, route } from './route.svelte.ts';

/** The side panel: beside the page in a wide window (kept in the settings), a drawer over it in a narrow one. */
class Panel {
  #narrow = window.matchMedia('(max-width: 53.75rem)');
  #isNarrow = $state(this.#narrow.matches);
  #drawerOpen = $state(false);

  constructor() {
    this.#narrow.addEventListener('change', ({ matches }) => {
      this.#isNarrow = matches;
      this.#drawerOpen = false;
    });
  }

  get isDrawer() {
    return this.#isNarrow;
  }

  get open(): boolean {
    if (route.page !== 'chat') return false;
    return this.#isNarrow ? this.#drawerOpen : (app.settings?.panelOpen ?? true);
  }

  toggle() {
    if (this.#isNarrow) this.#drawerOpen = !this.#drawerOpen;
    else void app.changeSettings({ panelOpen: !this.open });
  }

  closeDrawer() {
    this.#drawerOpen = false;
  }

  startNew() {
    this.closeDrawer();
    route.open(conversationAddress(null));
    document.getElementById('message')?.focus();
  }

  async focusSearch() {
    if (route.page !== 'chat') route.open(route.chatAddress);
    if (!this.open) this.toggle();
    await tick();
    document.getElementById('search')?.focus();
  }
}

export const panel = new Panel();
