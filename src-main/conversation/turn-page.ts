import type { StorePort, TurnPage } from '../contract/index.ts';
import { shownBranch } from './branches.ts';

export interface TurnPageQuery {
  readonly conversationId: string;
  /** A turn of the branch that is shown: the page ends before it. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Part of the shown branch. Only the turns of the page are read; of the others their places alone. */
export async function turnPage(
  store: StorePort,
  { conversationId, before, limit }: TurnPageQuery,
): Promise<TurnPage> {
  const tree = await store.turnTree(conversationId);
  const branch = shownBranch(tree);
  const end =
    before === undefined
      ? branch.length
      : Math.max(
          0,
          branch.findIndex(({ id }) => id === before),
        );
  const start = Math.max(0, end - limit);
  const page = branch.slice(start, end);
  const siblings = Map.groupBy(tree, ({ parentId }) => parentId);
  const versions = page.flatMap(({ id, parentId }) => {
    const ids = siblings.get(parentId)?.map((node) => node.id) ?? [];
    return ids.length > 1 ? [[id, ids] as const] : [];
  });
  return {
    turns: await Promise.all(page.map(({ id }) => store.turn(id))),
    versions: Object.fromEntries(versions),
    earlier: start > 0,
  };
}
