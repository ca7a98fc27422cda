import { describe, expect, it } from 'vitest';
import { limitPermissions } from '../../../src-main/desktop/permissions.ts';
import { keepOffline } from '../../../src-main/desktop/session.ts';
import { FakeSession } from './fake-electron.ts';

const own = 'parlance://app/index.html';
const audio = { requestingUrl: own, isMainFrame: true, mediaTypes: ['audio'] };

function limited(systemMicrophone = async () => true): FakeSession {
  const session = new FakeSession();
  limitPermissions(session.asSession, systemMicrophone);
  return session;
}

describe('the microphone', () => {
  it('is given to our own page', async () => {
    expect(await limited().asks('media', audio)).toBe(true);
    expect(limited().checks('media', 'parlance://app/', { mediaType: 'audio' })).toBe(true);
  });

  it.each([
    ['a page from the web', { ...audio, requestingUrl: 'https://example.org/' }],
    ['a page that only looks like ours', { ...audio, requestingUrl: 'parlance://app.example.org/' }],
    ['a file', { ...audio, requestingUrl: 'file:///index.html' }],
    ['a frame inside our page', { ...audio, isMainFrame: false }],
    ['something that wants the camera as well', { ...audio, mediaTypes: ['audio', 'video'] }],
    ['something that wants the camera', { ...audio, mediaTypes: ['video'] }],
    ['something that does not say what it wants', { ...audio, mediaTypes: undefined }],
    ['something that wants nothing', { ...audio, mediaTypes: [] }],
  ])('is not given to %s', async (_who, details) => {
    expect(await limited().asks('media', details)).toBe(false);
  });

  it('is not given when the system says no, or cannot be asked', async () => {
    expect(await limited(async () => false).asks('media', audio)).toBe(false);
    expect(await limited(() => Promise.reject(new Error('no answer'))).asks('media', audio)).toBe(false);
  });

  it('does not count as given to others when Chromium looks', () => {
    expect(limited().checks('media', 'https://example.org', { mediaType: 'audio' })).toBe(false);
    expect(limited().checks('media', 'parlance://app/', { mediaType: 'video' })).toBe(false);
  });
});

describe('every other permission', () => {
  it.each([
    'geolocation',
    'notifications',
    'midi',
    'midiSysex',
    'pointerLock',
    'fullscreen',
    'openExternal',
    'display-capture',
    'clipboard-read',
    'idle-detection',
    'hid',
    'serial',
    'usb',
    'fileSystem',
  ])('is refused to our own page: %s', async (permission) => {
    expect(await limited().asks(permission, audio)).toBe(false);
    expect(limited().checks(permission, 'parlance://app/', {})).toBe(false);
  });

  it('is refused where Electron has a way of its own to ask: devices, and the screen', () => {
    const session = limited();
    expect(session.deviceAllowed).toBe(false);
    expect(session.displayMedia).toEqual({});
  });

  it('but for writing text to the clipboard, which the copy button does', async () => {
    expect(await limited().asks('clipboard-sanitized-write', audio)).toBe(true);
    const foreign = { ...audio, requestingUrl: 'https://example.org/' };
    expect(await limited().asks('clipboard-sanitized-write', foreign)).toBe(false);
  });
});

describe('the network', () => {
  function offline(): FakeSession {
    const session = new FakeSession();
    keepOffline(session.asSession);
    return session;
  }

  it.each([
    'https://example.org/a.js',
    'http://127.0.0.1/',
    'ws://127.0.0.1/',
    'file:///etc/passwd',
    'ftp://x/',
    '?',
  ])('is closed to the window: %s', (url) => {
    expect(offline().lets(url)).toBe(false);
  });

  it.each([own, 'parlance://app/assets/a.js', 'blob:parlance://app/1', 'data:image/png;base64,'])(
    'is not needed for %s',
    (url) => {
      expect(offline().lets(url)).toBe(true);
    },
  );

  it('is not asked for dictionaries', () => {
    expect(offline().spellChecker).toBe(false);
    expect(offline().spellCheckerLanguages).toEqual([]);
  });
});
