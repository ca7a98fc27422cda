import type { z } from 'zod';
import {
  callSchema,
  type Endpoint,
  type Handlers,
  ParlanceError,
  type RequestName,
  type RequestOutput,
  type RequestParsed,
  requests,
  toFailure,
} from '../contract/index.ts';
import type { Events } from './events.ts';
import { faultOf, type Log } from './log.ts';

interface EndpointParts {
  readonly handlers: Handlers;
  readonly events: Events;
  readonly log: Log;
}

function isRequestName(method: string): method is RequestName {
  return Object.hasOwn(requests, method);
}

function faultsOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; ');
}

function invalid(message: string): ParlanceError {
  return new ParlanceError('invalid-request', message, 'Reload the screen; it may be of another version.');
}

/** The border of the main process: what comes in and what goes out are both checked against the contract. */
export function createEndpoint({ handlers, events, log }: EndpointParts): Endpoint {
  async function handle<N extends RequestName>(method: N, input: unknown): Promise<RequestOutput<N>> {
    const parsed = requests[method].input.safeParse(input);
    if (!parsed.success) throw invalid(`${method} was asked with ${faultsOf(parsed.error)}.`);
    const output = await handlers[method](parsed.data as RequestParsed<N>);
    return requests[method].output.parse(output) as RequestOutput<N>;
  }

  return {
    async answer(received) {
      const call = callSchema.safeParse(received);
      if (!call.success) throw invalid('What came is not a call.');
      const { id, method, input } = call.data;
      const began = performance.now();
      try {
        if (!isRequestName(method)) throw invalid(`There is no request named ${method.slice(0, 100)}.`);
        return { id, output: await handle(method, input) };
      } catch (thrown) {
        const failure = toFailure(thrown);
        const ms = Math.round(performance.now() - began);
        const fault = failure.code === 'internal' ? faultOf(thrown) : { code: failure.code };
        log.warn({ event: 'request-failed', method: method.slice(0, 100), ms, ...fault });
        return { id, failure };
      }
    },
    onEvent: (listener) => events.on(listener),
  };
}
