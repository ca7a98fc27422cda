// The import rules of docs/architecture.md. A feature imports the contract and its ports; only `app` wires.
const only = (name, from, allowed, why) => ({
  name,
  severity: 'error',
  comment: why,
  from: { path: from },
  to: { path: '^(src-main|src-renderer|native-models)/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphan-module',
      severity: 'error',
      from: { path: '^src-main', orphan: true, pathNot: '\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: ['^electron$', '\\?'] },
    },
    only(
      'contract-imports-nothing',
      '^src-main/contract/',
      ['^src-main/contract/'],
      'The contract is the bottom: both sides import it.',
    ),
    only(
      'conversation-imports',
      '^src-main/conversation/',
      ['^src-main/(contract|conversation)/'],
      'Features take their ports as arguments.',
    ),
    only('voice-imports', '^src-main/voice/', ['^src-main/(contract|voice|platform)/'], 'Implements ports.'),
    only(
      'engine-imports',
      '^src-main/engine/',
      ['^src-main/(contract|engine)/', '^native-models/'],
      'Runs bundles; knows no store.',
    ),
    only(
      'evaluation-imports',
      '^src-main/evaluation/',
      ['^src-main/(contract|evaluation)/'],
      'Measures through ports; its metrics stand alone.',
    ),
    only(
      'models-imports',
      '^src-main/models/',
      ['^src-main/(contract|models|platform)/', '^native-models/'],
      'Fetches and builds bundles.',
    ),
    only('store-imports', '^src-main/store/', ['^src-main/(contract|store|platform)/'], 'Implements ports.'),
    only(
      'platform-imports',
      '^src-main/platform/',
      ['^src-main/(contract|platform)/'],
      'Facts about the operating system; knows no feature.',
    ),
    only('server-imports', '^src-main/server/', ['^src-main/(contract|server)/'], 'Implements ports.'),
    only('desktop-imports', '^src-main/desktop/', ['^src-main/(contract|desktop)/'], 'Implements ports.'),
    only(
      'renderer-imports',
      '^src-renderer/',
      ['^src-renderer/', '^src-main/contract/'],
      'The screen knows the contract alone.',
    ),
    {
      name: 'foundry-stands-alone',
      severity: 'error',
      comment: 'native-models is a library of its own.',
      from: { path: '^native-models/' },
      to: { path: '^src-(main|renderer)/' },
    },
    {
      name: 'electron-only-in-desktop',
      severity: 'error',
      comment: 'Everything else runs on plain Node.',
      from: { path: '^(src-main|native-models)/', pathNot: ['^src-main/desktop/', '^src-main/app/electron'] },
      to: { path: '(^|/)electron($|/)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'import', 'require', 'node', 'types', 'default'],
      extensions: ['.ts', '.svelte', '.svelte.ts', '.js', '.mjs'],
    },
  },
};
