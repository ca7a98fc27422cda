import { pack, unpack } from 'msgpackr';
import { messageSchema } from '../../src-main/contract/index.ts';
import { answerText, ask, expect, test } from './fixtures.ts';

/** Whatever an answer says, it is text: it runs nothing, loads nothing, and links to nothing. */
const hostile = [
  '<script>document.title = "taken"</script>',
  '<img src=x onerror="document.title = \'taken\'">',
  '![picture](https://example.com/pixel.png)',
  '[click](javascript:alert(1)) and [here](https://example.com/) and https://example.org/',
  '```html"><script>document.title="taken"</script>\n<b>code</b>\n```',
].join('\n\n');

test('an answer cannot run, load or link to anything', async ({ page }) => {
  const requested: string[] = [];
  page.on('request', (request) => requested.push(request.url()));
  await page.routeWebSocket(/\/rpc$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((data) => {
      const message = messageSchema.parse(unpack(Buffer.from(data)));
      if ('event' in message && message.event === 'turn.updated' && message.turn.role === 'assistant') {
        message.turn.text = hostile;
      }
      socket.send(pack(message));
    });
  });
  await page.reload();
  await ask(page, 'Say hello.');
  await expect(answerText(page, 1)).toContainText('<script>');
  await expect(answerText(page, 1)).toContainText('[image: picture]');
  await expect(answerText(page, 1)).toContainText('here (https://example.com/)');
  await expect(answerText(page, 1).locator('a, img, script, iframe, form, style')).toHaveCount(0);
  await expect(page).not.toHaveTitle(/taken/);
  expect(requested.filter((address) => !address.startsWith('http://127.0.0.1:'))).toEqual([]);
});
