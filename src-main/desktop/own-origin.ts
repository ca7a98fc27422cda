export const appScheme = 'parlance';
export const appOrigin = `${appScheme}://app`;

/** Whether an address is a page of ours. What cannot be parsed is not. */
export function isOwnAddress(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.protocol === `${appScheme}:` && url.host === 'app';
}
