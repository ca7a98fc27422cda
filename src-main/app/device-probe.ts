import { probeOrderSchema, tryDevice } from '../models/device-step.ts';
import { parentPort } from './parent-port.ts';

/** A throwaway process that tries one execution provider and reports; how it ends otherwise is the parent's to read. */
const port = parentPort();
port.send(await tryDevice(probeOrderSchema.parse(JSON.parse(process.argv[2] ?? ''))));
port.close();
