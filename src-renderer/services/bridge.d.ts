/** What the preload script puts on `window` in the desktop app; absent in browser mode. */
interface ParlanceBridge {
  /** Asks the main process for a port; it arrives as a window message tagged `parlance:port`. */
  connect(): void;
}

interface Window {
  readonly parlance?: ParlanceBridge;
}
