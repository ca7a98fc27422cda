import type { IpcMain, IpcMainEvent, MessageChannelMain, MessagePortMain } from 'electron';
import { type Endpoint, maxCallBytes } from '../contract/index.ts';
import { isOwnAddress } from './own-origin.ts';
import { connectChannel, portTag } from './screen-channel.ts';

interface ScreenPortsOptions {
  readonly ipcMain: IpcMain;
  /** Electron's `MessageChannelMain`. */
  readonly createChannel: () => MessageChannelMain;
  readonly endpoint: Endpoint;
}

/** Only the top frame of one of our own pages is spoken to. */
function isOwnScreen({ senderFrame }: IpcMainEvent): boolean {
  return senderFrame !== null && senderFrame.parent === null && isOwnAddress(senderFrame.url);
}

function bytesIn(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, each) => sum + bytesIn(each), 0);
}

function converse(port: MessagePortMain, endpoint: Endpoint): void {
  const unsubscribe = endpoint.onEvent((event) => port.postMessage(event));
  port.on('message', async ({ data }) => {
    try {
      // Structured clones are not bounded by a frame's length as the WebSocket's messages are.
      if (bytesIn(data) > maxCallBytes) throw new RangeError('a call is over the limit');
      port.postMessage(await endpoint.answer(data));
    } catch {
      // No call at all, or one over the limit: our own screen sends neither, so nothing more is read from this port.
      port.close();
    }
  });
  port.on('close', unsubscribe);
  port.start();
}

/** Gives every screen that asks a MessagePort on which the contract is spoken. */
export function connectScreens({ ipcMain, createChannel, endpoint }: ScreenPortsOptions): void {
  ipcMain.on(connectChannel, (event) => {
    if (!isOwnScreen(event)) return;
    const { port1, port2 } = createChannel();
    converse(port1, endpoint);
    event.senderFrame?.postMessage(portTag, null, [port2]);
  });
}
