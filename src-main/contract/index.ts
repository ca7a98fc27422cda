export * from './conversation.ts';
export * from './endpoint.ts';
export * from './engine.ts';
export * from './errors.ts';
export * from './models.ts';
export * from './process.ts';
export * from './rpc.ts';
export * from './store.ts';
