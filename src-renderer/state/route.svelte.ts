type Page = 'chat' | 'models' | 'settings';

interface Route {
  page: Page;
  conversationId: string | null;
}

function parse(hash: string): Route {
  const [page, id] = hash.replace(/^#\/?/, '').split('/');
  if (page === 'models' || page === 'settings') return { page, conversationId: null };
  return { page: 'chat', conversationId: id || null };
}

/** The page in the address after `#`, so that a reload comes back to the same conversation. */
class CurrentRoute {
  #route = $state.raw<Route>(parse(window.location.hash));
  #lastConversationId: string | null = this.#route.conversationId;

  constructor() {
    window.addEventListener('hashchange', () => {
      this.#route = parse(window.location.hash);
      if (this.#route.page === 'chat') this.#lastConversationId = this.#route.conversationId;
    });
  }

  get page() {
    return this.#route.page;
  }

  get conversationId() {
    return this.#route.conversationId;
  }

  /** Where the Chat entry of the rail leads: back to the conversation that was open. */
  get chatAddress() {
    return conversationAddress(this.#route.conversationId ?? this.#lastConversationId);
  }

  open(address: string) {
    window.location.hash = address;
  }
}

export const conversationAddress = (id: string | null) => (id === null ? '#/chat' : `#/chat/${id}`);

export const route = new CurrentRoute();
