import type { TurnNode } from '../contract/index.ts';

/**
 * The turns that are shown, from the root on: among siblings the chosen one, else the one that the conversation went on
 * from, else the newest.
 */
export function shownBranch(tree: readonly TurnNode[]): TurnNode[] {
  const children = new Map<string | null, TurnNode[]>();
  for (const node of tree) {
    const siblings = children.get(node.parentId);
    if (siblings === undefined) children.set(node.parentId, [node]);
    else siblings.push(node);
  }
  const branch: TurnNode[] = [];
  for (let siblings = children.get(null); siblings !== undefined; ) {
    const shown =
      siblings.find(({ chosen }) => chosen) ??
      siblings.findLast(({ id }) => children.has(id)) ??
      siblings.at(-1);
    if (shown === undefined) break;
    branch.push(shown);
    siblings = children.get(shown.id);
  }
  return branch;
}

/** The ids that a screen needs to show the same branch. */
export const chosenIds = (tree: readonly TurnNode[]): string[] =>
  tree.filter(({ chosen }) => chosen).map(({ id }) => id);
