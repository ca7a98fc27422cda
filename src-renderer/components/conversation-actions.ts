import Pencil from '@lucide/svelte/icons/pencil';
import Pin from '@lucide/svelte/icons/pin';
import PinOff from '@lucide/svelte/icons/pin-off';
import Share from '@lucide/svelte/icons/share';
import Trash from '@lucide/svelte/icons/trash';
import type { Conversation } from '../../src-main/contract/index.ts';
import { conversations } from '../state/conversations.svelte.ts';
import type { MenuItem } from './Menu.svelte';

/** What can be done with a conversation, in the list and in the header alike. */
export function conversationActions(conversation: Conversation, rename: () => void): MenuItem[] {
  const { id, pinned } = conversation;
  return [
    { label: 'Rename', icon: Pencil, run: rename },
    {
      label: pinned ? 'Unpin' : 'Pin',
      icon: pinned ? PinOff : Pin,
      run: () => void conversations.pin(id, !pinned),
    },
    { label: 'Export as Markdown', icon: Share, run: () => void conversations.export(id) },
    { label: 'Delete', icon: Trash, danger: true, run: () => conversations.remove(conversation) },
  ];
}
