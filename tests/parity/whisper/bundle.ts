/** Folder of the built default bundle, as `npm test` names it. */
export function testBundle(): string {
  const folder = process.env.PARLANCE_TEST_BUNDLE;
  if (folder === undefined)
    throw new Error('PARLANCE_TEST_BUNDLE names no bundle: run the tests with `npm test`, which builds it');
  return folder;
}
