import { EventEmitter } from 'node:events';
import type { App } from 'electron';
import { describe, expect, it } from 'vitest';
import { denyNavigation } from '../../../src-main/desktop/navigation.ts';
import { FakeContents } from './fake-electron.ts';

function page(): FakeContents {
  const app = new EventEmitter();
  denyNavigation(app as unknown as App);
  const contents = new FakeContents();
  app.emit('web-contents-created', {}, contents);
  return contents;
}

describe('a page of the app', () => {
  it.each([
    'https://example.org/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'parlance://other/',
    'about:blank',
    '',
  ])('does not go to %s', (url) => {
    expect(page().lets('will-navigate', { url })).toBe(false);
    expect(page().lets('will-frame-navigate', { url, isMainFrame: true })).toBe(false);
  });

  it('may reload itself', () => {
    const url = 'parlance://app/index.html';
    expect(page().lets('will-navigate', { url })).toBe(true);
    expect(page().lets('will-frame-navigate', { url, isMainFrame: true })).toBe(true);
  });

  it('opens no window, not even one of its own', () => {
    expect(page().opens('https://example.org/')).toBe('deny');
    expect(page().opens('parlance://app/index.html')).toBe('deny');
  });

  it('holds no frame, follows no redirect, attaches no webview', () => {
    const url = 'parlance://app/index.html';
    expect(page().lets('will-frame-navigate', { url, isMainFrame: false })).toBe(false);
    expect(page().lets('will-redirect', { url })).toBe(false);
    expect(page().lets('will-attach-webview', {})).toBe(false);
  });
});
