import { contextBridge, ipcRenderer } from 'electron';
import { connectChannel, portTag } from './screen-channel.ts';

// Runs in the sandboxed page before its own script: all it hands over is the port on which the contract is spoken.

/** The one thing needed of the page's own world; the whole DOM's types have no place in the main process. */
declare const window: {
  readonly location: { readonly origin: string };
  postMessage(message: string, targetOrigin: string, transfer: unknown[]): void;
};

ipcRenderer.on(portTag, (event) => window.postMessage(portTag, window.location.origin, [...event.ports]));

contextBridge.exposeInMainWorld('parlance', {
  /** Asks the main process for a port; it arrives as a window message tagged `parlance:port`. */
  connect: () => ipcRenderer.send(connectChannel),
});
