import type { MediaAccessPermissionRequest, PermissionCheckHandlerHandlerDetails, Session } from 'electron';
import { isOwnAddress } from './own-origin.ts';

/** Asks the system for the microphone where it keeps its own list (macOS); true elsewhere. */
export type SystemMicrophone = () => Promise<boolean>;

/**
 * Our own page may use the microphone, and put text on the clipboard when a person clicks "copy". Everything else that
 * a web page can ask for (camera, screen, location, notifications, devices …) is refused, and so is every other page.
 */
export function limitPermissions(session: Session, systemMicrophone: SystemMicrophone): void {
  session.setPermissionRequestHandler((_contents, permission, grant, details) => {
    if (!details.isMainFrame || !isOwnAddress(details.requestingUrl)) return grant(false);
    if (permission === 'clipboard-sanitized-write') return grant(true);
    if (permission !== 'media') return grant(false);
    const { mediaTypes } = details as MediaAccessPermissionRequest;
    if (mediaTypes === undefined || mediaTypes.some((type) => type !== 'audio') || mediaTypes.length === 0) {
      return grant(false);
    }
    systemMicrophone().then(grant, () => grant(false));
  });
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin, details) => {
    if (!isOwnAddress(requestingOrigin)) return false;
    if (permission === 'clipboard-sanitized-write') return true;
    return permission === 'media' && isAudio(details);
  });
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}));
}

function isAudio(details: PermissionCheckHandlerHandlerDetails): boolean {
  return details.mediaType === 'audio';
}
